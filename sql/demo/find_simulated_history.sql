-- Whether the simulated history exists.
-- Parameters: none.
-- Returns: one boolean.
select exists(select 1 from database_size_stats where method = 'simulated')
