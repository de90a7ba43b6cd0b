-- How many toys were counted on all days.
-- Parameters: none.
-- Returns: one row, the count.
select coalesce(sum(toys), 0) from toy_stats
