-- Of the servers and databases with live alerts, those of which a day tells anything: they were measured, or their accounts were read, or
-- they are no longer in the inventory.
-- Parameters: day.
-- Returns: alert_id, has_sizes, has_accounts.
select
    a.alert_id,
    (
        i.instance_id is null
        or (a.database_id is not null and n.database_name is null)
        or exists (
            select 1 from database_size_stats as s
            where
                s.instance_id = a.instance_id
                and s.database_name = n.database_name
                and s.stat_date = %(day)s
                and s.provenance <> 'estimated'
        )
        or (
            a.database_id is null
            and exists (
                select 1 from instance_size_stats as t
                where
                    t.instance_id = a.instance_id
                    and t.stat_date = %(day)s
                    and t.provenance <> 'estimated'
                    and t.database_count = t.expected_count
            )
        )
    ) as has_sizes,
    (
        i.instance_id is null
        or exists (select 1 from account_observations as o where o.instance_id = a.instance_id and o.observed_on = %(day)s)
    ) as has_accounts
from alerts as a
left join instance_activity as i
    on a.instance_id = i.instance_id and i.active_from <= %(day)s and (i.active_until is null or i.active_until > %(day)s)
left join database_activity as n
    on
        a.instance_id = n.instance_id
        and a.database_id = n.database_id
        and n.active_from <= %(day)s
        and (n.active_until is null or n.active_until > %(day)s)
where a.status <> 'cleared' and a.instance_id is not null
