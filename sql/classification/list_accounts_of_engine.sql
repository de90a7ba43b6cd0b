-- How many accounts of each engine are staged, and the names of the first.
-- Parameters: most.
-- Returns: engine, account_count, account_names (instance/account).
select
    a.engine,
    count(*) as account_count,
    (array_agg(i.name || '/' || a.account_name order by i.name, a.account_name))[1:%(most)s] as account_names
from classified_accounts as a
inner join instances as i on a.instance_id = i.instance_id
group by a.engine
