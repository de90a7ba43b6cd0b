-- Add or change rules by their names.
-- Parameters: rules (jsonb: rule_name, condition, tags, thresholds, examples, is_active, changed_by).
-- Returns: nothing.
insert into alert_rules (rule_name, condition, tags, thresholds, examples, is_active, changed_by)
select
    r.rule_name,
    r.condition,
    r.tags,
    r.thresholds,
    r.examples,
    r.is_active,
    r.changed_by
from jsonb_populate_recordset(null::alert_rules, %(rules)s::jsonb) as r
on conflict (rule_name) do update
    set
        condition = excluded.condition,
        tags = excluded.tags,
        thresholds = excluded.thresholds,
        examples = excluded.examples,
        is_active = excluded.is_active,
        changed_by = excluded.changed_by,
        changed_at = now()
