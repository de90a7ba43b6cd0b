-- Write instants in UTC for the rest of a transaction: offsets before 1901 have seconds, which readers of CSV do not know.
-- Parameters: none.
-- Returns: timezone, datestyle.
select
    set_config('timezone', 'UTC', true) as timezone,
    set_config('datestyle', 'ISO', true) as datestyle
