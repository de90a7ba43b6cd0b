-- The table of applied migrations.
-- Parameters: none.
-- Returns: nothing.
create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
)
