-- What the writer and the reader may do in whalefall's database, also with the tables that later months and migrations bring. What an
-- area allows beyond that, or takes away, is its `grants.sql`.
-- Parameters: owner, writer, reader, database, schema (identifiers).
-- Returns: nothing.
grant connect, temporary on database {database} to {writer};
grant connect on database {database} to {reader};
grant usage on schema {schema} to {writer}, {reader};
alter role {reader} in database {database} set default_transaction_read_only to on;

revoke all on all tables in schema {schema} from {writer}, {reader};
grant select, insert, update on all tables in schema {schema} to {writer};
grant select on all tables in schema {schema} to {reader};
revoke insert, update on installation, schema_migrations from {writer};

alter default privileges for role {owner} in schema {schema} grant select, insert, update on tables to {writer};
alter default privileges for role {owner} in schema {schema} grant select on tables to {reader}
