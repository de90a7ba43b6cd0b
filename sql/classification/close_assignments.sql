-- End the automatic assignments that no longer hold. One that began on this day leaves no trace.
-- Parameters: day.
-- Returns: nothing.
with ended as (
    select
        t.account_id,
        t.rule_id,
        t.valid_from
    from differences as d
    inner join account_classification_assignments as t on d.account_id = t.account_id and d.rule_id = t.rule_id
    where not d.is_match and t.valid_until is null
),

deleted as (
    delete from account_classification_assignments as t
    using ended as e
    where t.account_id = e.account_id and t.rule_id = e.rule_id and t.valid_from = e.valid_from and t.valid_from >= %(day)s
)

update account_classification_assignments as t
set valid_until = %(day)s
from ended as e
where t.account_id = e.account_id and t.rule_id = e.rule_id and t.valid_from = e.valid_from and t.valid_from < %(day)s
