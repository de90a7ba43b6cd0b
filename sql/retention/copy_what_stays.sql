-- What a month of aggregations keeps when its days expire: its weeks, months and quarters, and its last day.
-- Parameters: table_partition (identifiers), last_day (literal).
-- Returns: nothing. The copy is gone with the transaction.
create temporary table kept_rows on commit drop as
select * from {table_partition}  -- noqa: AM04
where period_type <> 'daily' or period_start >= {last_day}
