-- Compare what the rules match with the automatic assignments that are open: of rules that were evaluated, of versions that were
-- superseded, and of rules that are off. A rule that failed keeps what its accounts have, as long as they exist.
-- Parameters: instance_ids (integer[]; NULL: all), failed_group_ids (uuid[]).
-- Returns: nothing.
insert into differences (account_id, rule_id, is_match)
select
    coalesce(m.account_id, t.account_id),
    coalesce(m.rule_id, t.rule_id),
    m.account_id is not null
from matches as m
full join (
    select
        o.account_id,
        o.rule_id
    from account_classification_assignments as o
    where
        o.valid_until is null
        and o.assignment_type = 'auto'
        and (
            %(instance_ids)s::integer[] is null
            or o.account_id in (select i.account_id from instance_accounts as i where i.instance_id = any(%(instance_ids)s::integer[]))
        )
        and not (
            o.rule_id in (select r.rule_id from classification_rules as r where r.rule_group_id = any(%(failed_group_ids)s::uuid[]))
            and o.account_id in (select c.account_id from classified_accounts as c)
        )
) as t on m.account_id = t.account_id and m.rule_id = t.rule_id
where m.account_id is null or t.account_id is null
