-- Tell whether this store keeps the facts of its installation: an older one has no such table.
-- Parameters: none.
-- Returns: one boolean.
select to_regclass('installation') is not null
