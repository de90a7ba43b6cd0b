-- A store that holds a simulated fleet says so, so that nobody takes it for a real one and no real server is added to it.
-- Parameters: none.
-- Returns: nothing.
alter table installation add column simulation jsonb;
