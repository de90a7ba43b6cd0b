-- A run changes neither a login nor where an instance is: whoever could, could have passwords sent to himself. Nobody reads a secret.
-- Parameters: writer, reader (identifiers).
-- Returns: nothing.
revoke insert, update on credentials, instances, instance_activity from {writer};
grant update (server_version, last_connected_at, server_identity, server_started_at) on instances to {writer};
revoke select on credentials from {reader};
grant select (credential_id, name, username, created_at, updated_at) on credentials to {reader}
