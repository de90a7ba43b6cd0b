-- What every command must know alike of this installation. A store that is older than this table keeps the time zone of its database.
-- Parameters: none.
-- Returns: nothing.
create table installation (
    is_only boolean primary key default true check (is_only),
    timezone text not null,
    created_at timestamptz not null,
    schema_version integer not null
);
insert into installation (timezone, created_at, schema_version)
select
    coalesce(
        (
            select substring(setting from '^[^=]+=(.*)$')
            from pg_catalog.pg_db_role_setting as s
            inner join pg_catalog.pg_database as d on s.setdatabase = d.oid
            cross join unnest(s.setconfig) as setting
            where d.datname = current_database() and s.setrole = 0 and setting ilike 'timezone=%'
        ),
        current_setting('TimeZone')
    ) as timezone,
    min(applied_at) as created_at,
    9 as schema_version
from schema_migrations;
