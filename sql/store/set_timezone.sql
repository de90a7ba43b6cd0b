-- Count days by another time zone from now on; stored days keep their dates.
-- Parameters: timezone (text).
-- Returns: nothing.
update installation
set timezone = %(timezone)s
