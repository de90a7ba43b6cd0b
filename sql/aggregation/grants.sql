-- The writer removes a recomputed period from the ledger.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke update on stale_periods from {writer};
grant delete on stale_periods to {writer}
