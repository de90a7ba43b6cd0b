-- How many accounts of each engine are staged, and the names of the first; accounts that come with a server are last.
-- Parameters: most.
-- Returns: engine, account_count, account_names (instance/account).
select
    e.engine,
    e.account_count,
    n.account_names
from (
    select
        engine,
        count(*) as account_count
    from classified_accounts
    group by engine
) as e
-- a few of each, so that not all names are sorted
cross join lateral (
    select array_agg(f.name order by f.is_built_in, f.instance_name, f.account_name) as account_names
    from (
        select
            a.is_built_in,
            i.name as instance_name,
            a.account_name,
            i.name || '/' || a.account_name as name
        from classified_accounts as a
        inner join instances as i on a.instance_id = i.instance_id
        where a.engine = e.engine
        order by a.is_built_in, i.name, a.account_name
        limit %(most)s
    ) as f
) as n
