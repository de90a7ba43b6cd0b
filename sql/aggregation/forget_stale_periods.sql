-- Remove periods that are about to be computed from the ledger. Entries of transactions that commit later stay for the next run.
-- Parameters: period_type, first_start, last_start.
-- Returns: nothing.
delete from stale_periods
where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
