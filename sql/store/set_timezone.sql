-- Change the time zone of the store; stored days keep their dates.
-- Parameters: timezone (text).
-- Returns: nothing.
update installation
set timezone = %(timezone)s
