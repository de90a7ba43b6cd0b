-- Aggregations are read by period, and a database that grows from one byte has a percentage of more digits than twelve.
-- Parameters: none.
-- Returns: nothing.
create index database_size_aggregations_by_period on database_size_aggregations (period_type, period_start);
create index instance_size_aggregations_by_period on instance_size_aggregations (period_type, period_start);
alter table database_size_aggregations alter column change_percent type numeric(24, 2);
alter table instance_size_aggregations alter column change_percent type numeric(24, 2);
