-- Toys may be thrown away.
-- Parameters: writer (identifier).
-- Returns: nothing.
grant delete on toy_stats to {writer}
