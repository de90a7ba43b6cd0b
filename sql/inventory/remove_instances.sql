-- Remove instances from the fleet; everything that was collected from them stays.
-- Parameters: names (text[]).
-- Returns: nothing.
update instances
set
    is_active = false,
    deactivated_at = coalesce(deactivated_at, now()),
    deleted_at = now(),
    updated_at = now()
where name = any(%(names)s::text[]) and deleted_at is null
