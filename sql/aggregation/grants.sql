-- A period that was computed again is stale no more.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke update on stale_periods from {writer};
grant delete on stale_periods to {writer}
