-- The writer deletes totals without database rows, expired gaps, and what a second measurement of a day does not find. Views are only read.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on capacity_coverage, database_starts, database_histories, fleet_today, database_growth from {writer};
grant delete on instance_size_stats, capacity_gaps, instance_shared_stats, instance_volume_stats to {writer}
