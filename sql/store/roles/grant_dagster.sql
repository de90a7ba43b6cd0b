-- What the writer may do in Dagster's database: everything with rows, nothing with tables. The reader has no business there.
-- Parameters: owner, writer, database, schema (identifiers).
-- Returns: nothing.
grant connect, temporary on database {database} to {writer};
grant usage on schema {schema} to {writer};
grant select, insert, update, delete on all tables in schema {schema} to {writer};
grant usage, select on all sequences in schema {schema} to {writer};
alter default privileges for role {owner} in schema {schema} grant select, insert, update, delete on tables to {writer};
alter default privileges for role {owner} in schema {schema} grant usage, select on sequences to {writer}
