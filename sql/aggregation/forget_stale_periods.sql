-- These periods are about to be computed, from everything that was committed before: what was noted of them is done. What is noted by a
-- transaction that commits later stays for the next time.
-- Parameters: period_type, first_start, last_start.
-- Returns: nothing.
delete from stale_periods
where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
