-- Tell whether this database was ever migrated.
-- Parameters: none.
-- Returns: one boolean.
select to_regclass('schema_migrations') is not null
