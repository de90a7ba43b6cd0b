-- Put back what a month of aggregations keeps.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
insert into {table_partition}
select * from pg_temp.kept_rows  -- noqa: AM04
