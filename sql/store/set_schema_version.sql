-- Remember the last migration that was applied.
-- Parameters: version (integer).
-- Returns: nothing.
update installation
set schema_version = %(version)s
