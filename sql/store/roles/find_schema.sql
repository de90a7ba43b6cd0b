-- The schema in which a new table would land.
-- Parameters: none.
-- Returns: schema_name.
select current_schema() as schema_name
