-- What people ask for in SQL has a name: what the fleet holds today, and how fast each database grows. The command `whalefall top` asks
-- the same function for any day.
-- Parameters: none.
-- Returns: nothing.

-- Every database that is expected on a day, with its size or the reason why it is missing. The planner puts the body in place of a call,
-- so that only the months of the day and of the 14 days before it are read.
create function fleet_on(asked_day date)
returns table (
    instance_id integer,
    instance_name text,
    engine text,
    tags jsonb,
    database_id integer,
    database_name text,
    total_bytes bigint,
    data_bytes bigint,
    log_bytes bigint,
    state text,
    reason text,
    detail text,
    known_date date,
    known_bytes bigint,
    known_state text
)
language sql stable
as $$
    select
        i.instance_id,
        i.name,
        i.engine,
        i.tags,
        n.database_id,
        n.database_name,
        s.total_bytes,
        s.data_bytes,
        s.log_bytes,
        coalesce(s.provenance, 'missing'),
        case when s.instance_id is null then coalesce(g.reason, 'not_collected') end,
        case when s.instance_id is null then g.detail end,
        coalesce(s.stat_date, k.stat_date),
        coalesce(s.total_bytes, k.total_bytes),
        coalesce(s.provenance, k.provenance)
    from database_activity as n
    inner join instance_activity as a
        on n.instance_id = a.instance_id and asked_day >= a.active_from and (a.active_until is null or asked_day < a.active_until)
    inner join instances as i on n.instance_id = i.instance_id
    left join database_size_stats as s
        on n.instance_id = s.instance_id and n.database_name = s.database_name and s.stat_date = asked_day
    left join capacity_gaps as g
        on
            n.instance_id = g.instance_id
            and n.database_name = g.database_name
            and g.stat_date = asked_day
            and g.closed_by is null
    left join lateral (
        select
            h.stat_date,
            h.total_bytes,
            h.provenance
        from database_histories as h
        where
            s.instance_id is null
            and h.instance_id = n.instance_id
            and h.database_id = n.database_id
            and h.stat_date between asked_day - 14 and asked_day - 1
        order by h.stat_date desc
        limit 1
    ) as k on true
    where asked_day >= n.active_from and (n.active_until is null or asked_day < n.active_until)
    union all
    -- an instance whose databases were never listed
    select
        i.instance_id,
        i.name,
        i.engine,
        i.tags,
        null,
        null,
        null,
        null,
        null,
        'missing',
        g.reason,
        g.detail,
        null,
        null,
        null
    from capacity_gaps as g
    inner join instances as i on g.instance_id = i.instance_id
    where g.database_name is null and g.stat_date = asked_day and g.closed_by is null
$$;
comment on function fleet_on(date) is 'Every database that is expected on this day, with its size or the reason why it is missing';

create view fleet_today as
select
    current_date as stat_date,
    f.instance_id,
    f.instance_name,
    f.engine,
    f.tags,
    f.database_id,
    f.database_name,
    f.total_bytes,
    f.data_bytes,
    f.log_bytes,
    f.state,
    f.reason,
    f.detail,
    f.known_date,
    f.known_bytes,
    f.known_state
from fleet_on(current_date) as f;

-- The days before are read under the name that the database had then. The bounds beside each comparison say which months are read.
create view database_growth as
select
    t.instance_id,
    t.instance_name,
    t.engine,
    t.tags,
    t.database_name,
    t.known_date as stat_date,
    t.known_bytes as total_bytes,
    t.known_state as state,
    t.known_bytes - d.total_bytes as change_1d_bytes,
    t.known_bytes - w.total_bytes as change_7d_bytes,
    t.known_bytes - m.total_bytes as change_30d_bytes,
    t.known_bytes - q.total_bytes as change_90d_bytes
from fleet_today as t
left join database_histories as d
    on
        t.instance_id = d.instance_id
        and t.database_id = d.database_id
        and t.known_date - 1 = d.stat_date
        and d.stat_date between current_date - 15 and current_date - 1
left join database_histories as w
    on
        t.instance_id = w.instance_id
        and t.database_id = w.database_id
        and t.known_date - 7 = w.stat_date
        and w.stat_date between current_date - 21 and current_date - 7
left join database_histories as m
    on
        t.instance_id = m.instance_id
        and t.database_id = m.database_id
        and t.known_date - 30 = m.stat_date
        and m.stat_date between current_date - 44 and current_date - 30
left join database_histories as q
    on
        t.instance_id = q.instance_id
        and t.database_id = q.database_id
        and t.known_date - 90 = q.stat_date
        and q.stat_date between current_date - 104 and current_date - 90
where t.known_date is not null;

comment on view fleet_today is 'Every database that is expected today, with its size or the reason why it is missing';
comment on column fleet_today.stat_date is 'today, in the time zone of the store';
comment on column fleet_today.instance_id is 'the server, in instances';
comment on column fleet_today.instance_name is 'the name of the server';
comment on column fleet_today.engine is 'postgresql, mysql (MariaDB too), sqlserver or oracle';
comment on column fleet_today.tags is 'the labels of the server: tags ->> ''env''';
comment on column fleet_today.database_id is 'the database within its server, the same under every name that it had';
comment on column fleet_today.database_name is 'NULL where the databases of the server were never listed';
comment on column fleet_today.total_bytes is 'bytes on disk today; NULL while missing';
comment on column fleet_today.data_bytes is 'bytes of data; NULL if missing, or if data and log are not distinguished';
comment on column fleet_today.log_bytes is 'bytes of log; NULL if missing, or if data and log are not distinguished';
comment on column fleet_today.state is 'measured, recovered, estimated or missing';
comment on column fleet_today.reason is 'why it is missing; not_collected before today''s collection';
comment on column fleet_today.detail is 'why it is missing, in words, with the GRANT that cures it where one does';
comment on column fleet_today.known_date is 'the newest day with a size: today, or up to 14 days before; NULL if there is none';
comment on column fleet_today.known_bytes is 'the size on known_date';
comment on column fleet_today.known_state is 'measured, recovered or estimated';

comment on view database_growth is 'Growth of every expected database up to its newest size; NULL where the earlier day has no size';
comment on column database_growth.instance_id is 'the server, in instances';
comment on column database_growth.instance_name is 'the name of the server';
comment on column database_growth.engine is 'postgresql, mysql (MariaDB too), sqlserver or oracle';
comment on column database_growth.tags is 'the labels of the server';
comment on column database_growth.database_name is 'as the server spells it now';
comment on column database_growth.stat_date is 'the day of its newest size: today, or up to 14 days before';
comment on column database_growth.total_bytes is 'its newest size';
comment on column database_growth.state is 'measured, recovered or estimated';
comment on column database_growth.change_1d_bytes is 'growth since the day before stat_date';
comment on column database_growth.change_7d_bytes is 'growth over 7 days';
comment on column database_growth.change_30d_bytes is 'growth over 30 days';
comment on column database_growth.change_90d_bytes is 'growth over 90 days';
