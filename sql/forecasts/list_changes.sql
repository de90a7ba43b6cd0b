-- The changes that became known between two days, the newest first, then the largest.
-- Parameters: since, day, most.
-- Returns: instance_name, database_name (NULL for the server), kind, the days, change_bytes.
select
    i.name as instance_name,
    d.database_name,
    c.kind,
    c.from_date,
    c.to_date,
    c.known_on,
    c.change_bytes
from capacity_changes as c
inner join instances as i on c.instance_id = i.instance_id
left join database_activity as d
    on
        c.instance_id = d.instance_id
        and c.database_id = d.database_id
        and c.to_date >= d.active_from
        and (d.active_until is null or c.to_date < d.active_until)
where c.known_on between %(since)s and %(day)s
order by c.known_on desc, abs(c.change_bytes) desc, i.name, d.database_name nulls first
limit %(most)s
