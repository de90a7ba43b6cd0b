-- The writer deletes totals without database rows, and expired gaps. Views are only read.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on capacity_coverage, database_starts, database_histories, fleet_today, database_growth from {writer};
grant delete on instance_size_stats, capacity_gaps to {writer}
