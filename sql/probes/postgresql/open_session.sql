-- Gives a new session its settings and reads them back; not where a pooler lent a session of its own, which others get next.
-- Parameters: settings (json, an object of strings), backend_pid (integer, the session that the login was told of).
-- Returns: name, value (as it is now), is_standby; no row where another session answers.
select
    setting.name,
    pg_catalog.set_config(setting.name, setting.value, false) as value,
    pg_catalog.pg_is_in_recovery() as is_standby
from pg_catalog.json_each_text(%(settings)s::pg_catalog.json) as setting (name, value)
where pg_catalog.pg_backend_pid() operator(pg_catalog.=) %(backend_pid)s
