-- The inventory of one instance with the latest size of each database that was ever measured.
-- Parameters: instance_id.
-- Returns: the fields of KnownDatabase; total_bytes, stat_date and provenance are NULL without a size.
select
    d.database_name,
    d.is_active,
    d.first_seen_date,
    d.last_seen_date,
    s.total_bytes,
    s.stat_date,
    s.provenance,
    d.renamed_from
from instance_databases as d
left join lateral (
    select
        latest.total_bytes,
        latest.stat_date,
        latest.provenance
    from database_size_stats as latest
    where latest.instance_id = d.instance_id and latest.database_name = d.database_name
    order by latest.stat_date desc
    limit 1
) as s on true
where d.instance_id = %(instance_id)s
order by d.is_active desc, s.total_bytes desc nulls last, d.database_name asc
