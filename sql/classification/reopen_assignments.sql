-- Continue the automatic assignments that an earlier evaluation of this day ended and that hold after all.
-- Parameters: day.
-- Returns: nothing.
update account_classification_assignments as t
set valid_until = null
from differences as d
where d.is_match and t.valid_until = %(day)s and t.rule_id = d.rule_id and t.account_id = d.account_id
