-- Let the monitoring login of a demo server measure every database, and what belongs to none.
-- Parameters: role (identifier), composed because DDL takes no parameters.
-- Returns: nothing.
grant pg_monitor to {role}
