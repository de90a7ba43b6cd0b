-- Insert the kept rows of a month of aggregations again.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
insert into {table_partition}
select * from pg_temp.kept_rows  -- noqa: AM04
