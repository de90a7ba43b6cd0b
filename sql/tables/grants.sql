-- The writer deletes what a second measurement of the same day does not find. The views are only read.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on table_sizes, table_size_coverage from {writer};
grant delete on table_size_stats to {writer}
