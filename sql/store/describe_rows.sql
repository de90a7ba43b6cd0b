-- The columns of a statement, without its rows.
-- Parameters: rows (a statement).
-- Returns: nothing; what is asked for is the description.
select * from ({rows}) as described limit 0  -- noqa: AM04, AL05
