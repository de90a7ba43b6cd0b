-- Enable or disable instances; those that already are as asked stay as they are.
-- Parameters: names (text[]), is_active (boolean).
-- Returns: name of each instance that changed.
update instances
set
    is_active = %(is_active)s,
    deactivated_at = case when %(is_active)s then null else now() end,
    updated_at = now()
where name = any(%(names)s::text[]) and deleted_at is null and is_active <> %(is_active)s
returning name
