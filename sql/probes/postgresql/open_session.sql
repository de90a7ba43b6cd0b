-- Applies the settings of a new session and reads them back, except in a session of a pooler, which another client uses next.
-- Parameters: settings (json, an object of strings), backend_pid (integer, the session's process id according to the login).
-- Returns: name, value (the current one), is_standby; no row if another session answers.
select
    setting.name,
    pg_catalog.set_config(setting.name, setting.value, false) as value,
    pg_catalog.pg_is_in_recovery() as is_standby
from pg_catalog.json_each_text(%(settings)s::pg_catalog.json) as setting (name, value)
where pg_catalog.pg_backend_pid() operator(pg_catalog.=) %(backend_pid)s
