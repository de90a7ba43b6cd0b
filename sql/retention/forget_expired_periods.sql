-- Remove periods with expired days from the ledger: computed from their remaining days, they would be wrong.
-- Deleting a gap writes its periods there, so this runs in the transaction that deletes the gaps of these days.
-- Parameters: before (date, the first day that is kept).
-- Returns: nothing.
delete from stale_periods
where period_start < %(before)s::date
