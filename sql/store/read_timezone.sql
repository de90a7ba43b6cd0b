-- The time zone of this store.
-- Parameters: none.
-- Returns: timezone.
select timezone from installation
