-- The open gaps of an instance are looked up in every visit to it; by day alone each visit would read those of the whole fleet.
-- Parameters: none.
-- Returns: nothing.
create index capacity_gaps_open on capacity_gaps (instance_id, stat_date) where closed_by is null;
