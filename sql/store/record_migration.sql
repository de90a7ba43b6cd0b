-- Remember one applied migration.
-- Parameters: version (integer), name (text), checksum (text).
-- Returns: nothing.
insert into schema_migrations (version, name, checksum)
values (%(version)s, %(name)s, %(checksum)s)
