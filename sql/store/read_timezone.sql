-- The time zone by which this store counts its days.
-- Parameters: none.
-- Returns: timezone.
select timezone from installation
