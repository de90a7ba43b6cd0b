-- Switch the current version of a rule off.
-- Parameters: rule_group_id.
-- Returns: nothing.
update classification_rules
set is_active = false
where rule_group_id = %(rule_group_id)s and superseded_at is null
