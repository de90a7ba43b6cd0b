-- Forget what the ledger has of periods that hold days which are not kept any more: computed from what is left, they would be wrong.
-- Deleting a gap writes its periods there, so this runs in the transaction that deletes the gaps of these days.
-- Parameters: before (date, the first day that is kept).
-- Returns: nothing.
delete from stale_periods
where period_start < %(before)s::date
