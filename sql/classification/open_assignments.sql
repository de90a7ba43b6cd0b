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
-- sets are compared: a join would look among the rows that it is writing, for each row again
from (
    select
        account_id,
        rule_id
    from differences
    where is_match
    except
    select
        account_id,
        rule_id
    from account_classification_assignments
    where valid_until is null
) as d
inner join classification_rules as r on d.rule_id = r.rule_id
-- the indexes grow at their ends
order by d.account_id, d.rule_id
