-- The steps, slopes and outliers of one series: of a database, or without a name of its server, newest first.
-- Parameters: instance_id, database_name (its newest holder; NULL: the server), since (day).
-- Returns: the fields of SeriesChange.
select
    c.kind,
    c.from_date,
    c.to_date,
    c.known_on,
    c.change_bytes
from capacity_changes as c
where
    c.instance_id = %(instance_id)s
    and c.to_date >= %(since)s
    and (%(database_name)s::text is null) = (c.database_id is null)
    and c.database_id is not distinct from case when %(database_name)s::text is not null then (
        select a.database_id from database_activity as a
        where a.instance_id = %(instance_id)s and a.database_name = %(database_name)s::text
        order by a.active_from desc
        limit 1
    ) end
order by c.to_date desc, c.kind
