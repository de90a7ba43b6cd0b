-- How much of a database's data files is in use, where its server says so; NULL is unknown. And which engines there are is for the
-- program to know: a new one needs no migration.
-- Parameters: none.
-- Returns: nothing.
alter table database_size_stats add column used_bytes bigint check (used_bytes >= 0);
alter table instances drop constraint instances_engine_check;
alter table instances add constraint instances_engine_check check (engine ~ '^[a-z][a-z0-9_]*$');
