-- Mark this store as one with a simulated fleet. A store with servers is not marked.
-- Parameters: simulation (json: what it was made of).
-- Returns: one row if it is marked now.
update installation
set simulation = %(simulation)s::jsonb
where simulation is null and not exists (select 1 from instances)
returning is_only
