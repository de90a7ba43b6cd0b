-- How large the files of a database may grow, where its server says so; NULL is without a limit or unknown.
-- Parameters: none.
-- Returns: nothing.
alter table database_size_stats add column growth_limit_bytes bigint check (growth_limit_bytes >= 0);
