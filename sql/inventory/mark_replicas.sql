-- Set whether instances may share the identity of another one.
-- Parameters: names (text[]), is_replica (boolean).
-- Returns: nothing.
update instances
set
    is_replica = %(is_replica)s,
    updated_at = now()
where name = any(%(names)s::text[])
