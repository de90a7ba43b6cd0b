-- The rules.
-- Parameters: none.
-- Returns: the fields of RuleRow.
select
    rule_id,
    rule_name,
    condition,
    tags,
    thresholds,
    examples,
    is_active,
    changed_by,
    changed_at
from alert_rules
order by rule_id
