-- Rename the rows of a day that were written before a database was renamed, so that the day has the database only once.
-- Parameters: instance_id, day, renamed, renamed_to (text[], an entry per database: the name that is no more listed, the new one).
-- Returns: nothing.
with renames as (
    select
        r.old_name,
        r.new_name
    from unnest(%(renamed)s::text[], %(renamed_to)s::text[]) as r (old_name, new_name)
),

moved_sizes as (
    update database_size_stats as s
    set database_name = r.new_name
    from renames as r
    where
        s.instance_id = %(instance_id)s
        and s.stat_date = %(day)s
        and s.database_name = r.old_name
        and r.new_name not in (
            select t.database_name from database_size_stats as t
            where t.instance_id = %(instance_id)s and t.stat_date = %(day)s
        )
)

update capacity_gaps as g
set database_name = r.new_name
from renames as r
where
    g.instance_id = %(instance_id)s
    and g.stat_date = %(day)s
    and g.database_name = r.old_name
    and r.new_name not in (
        select t.database_name from capacity_gaps as t
        where t.instance_id = %(instance_id)s and t.stat_date = %(day)s and t.database_name is not null
    )
