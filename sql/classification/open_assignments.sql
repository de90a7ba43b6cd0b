-- Begin the automatic assignments that are new.
-- Parameters: day, assigned_by.
-- Returns: nothing.
insert into account_classification_assignments (
    account_id, classification_id, rule_id, rule_version, assignment_type, assigned_by, valid_from
)
select
    d.account_id,
    r.classification_id,
    r.rule_id,
    r.rule_version,
    'auto',
    %(assigned_by)s,
    %(day)s
from differences as d
inner join classification_rules as r on d.rule_id = r.rule_id
where
    d.is_match
    and not exists (
        select 1 from account_classification_assignments as t
        where t.account_id = d.account_id and t.rule_id = d.rule_id and t.valid_until is null
    )
