-- Zones: networks whose servers only some processes reach. NULL is the centre, which is the whole fleet of most installations.
-- Parameters: none.
-- Returns: nothing.
create table zones (
    -- `centre` is how people write NULL
    name text primary key check (name <> '' and name <> 'centre'),
    description text,
    created_at timestamptz not null default now()
);

alter table instances add column zone text references zones (name);
create index instances_by_zone on instances (zone) where zone is not null;

-- The zone that the run of a session was for; NULL for the centre, and for a run without a zone, whose records say what it visited.
alter table sync_sessions add column zone text references zones (name);
