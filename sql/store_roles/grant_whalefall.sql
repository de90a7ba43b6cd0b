-- What the writer and the reader may do in whalefall's database, also with the tables that later months and migrations bring.
-- Parameters: owner, writer, reader, database, schema (identifiers).
-- Returns: nothing. A run changes neither a login nor where an instance is: whoever could, could have passwords sent to himself.
grant connect, temporary on database {database} to {writer};
grant connect on database {database} to {reader};
grant usage on schema {schema} to {writer}, {reader};
alter role {reader} in database {database} set default_transaction_read_only to on;

revoke all on all tables in schema {schema} from {writer}, {reader};
grant select, insert, update on all tables in schema {schema} to {writer};
revoke insert, update on
credentials, instances, instance_activity, installation, schema_migrations, sync_state_moves, capacity_coverage,
database_starts, database_histories
from {writer};
grant update (server_version, last_connected_at, server_identity, server_started_at) on instances to {writer};
-- A total whose databases are all gone goes with them; gaps, sessions and their records expire.
grant delete on instance_size_stats, capacity_gaps, sync_sessions, sync_instance_records, footprints to {writer};
-- A period that was computed again is stale no more.
revoke update on stale_periods from {writer};
grant delete on stale_periods to {writer};

grant select on all tables in schema {schema} to {reader};
revoke select on credentials from {reader};
grant select (credential_id, name, username, created_at, updated_at) on credentials to {reader};

alter default privileges for role {owner} in schema {schema} grant select, insert, update on tables to {writer};
alter default privileges for role {owner} in schema {schema} grant select on tables to {reader}
