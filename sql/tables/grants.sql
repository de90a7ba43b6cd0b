-- The writer deletes what a second measurement of the same day does not find. The view is only read.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on table_sizes from {writer};
grant delete on table_size_stats to {writer}
