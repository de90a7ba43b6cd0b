-- Add a class, unless there is one of its code.
-- Parameters: code, display_name, description, axis, risk_level, priority, is_system.
-- Returns: nothing.
insert into account_classifications (code, display_name, description, axis, risk_level, priority, is_system)
values (%(code)s, %(display_name)s, %(description)s, %(axis)s, %(risk_level)s, %(priority)s, %(is_system)s)
on conflict (code) do nothing
