-- Switch a rule on or off.
-- Parameters: rule_name, is_active, changed_by.
-- Returns: rule_id; no row if there is none.
update alert_rules
set is_active = %(is_active)s, changed_by = %(changed_by)s, changed_at = now()
where rule_name = %(rule_name)s
returning rule_id
