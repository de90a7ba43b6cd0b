-- Every class.
-- Parameters: none.
-- Returns: code, display_name, axis, risk_level, priority, description.
select
    code,
    display_name,
    axis,
    risk_level,
    priority,
    description
from account_classifications
order by axis, risk_level, priority desc, code
