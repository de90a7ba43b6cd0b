-- How many accounts of each engine are staged, and the names of the first.
-- Parameters: most.
-- Returns: engine, account_count, account_names (instance/account).
select
    e.engine,
    e.account_count,
    -- a few of each, so that not all names are sorted
    array(
        select i.name || '/' || a.account_name
        from classified_accounts as a
        inner join instances as i on a.instance_id = i.instance_id
        where a.engine = e.engine
        order by i.name, a.account_name
        limit %(most)s
    ) as account_names
from (
    select
        engine,
        count(*) as account_count
    from classified_accounts
    group by engine
) as e
