-- A run may change neither a login nor the address of an instance, because it could have passwords sent elsewhere. Nobody reads a secret.
-- People register servers through the web process, which therefore may.
-- Parameters: writer, reader, web (identifiers).
-- Returns: nothing.
revoke insert, update on credentials, instances, instance_activity, zones from {writer};
grant update (server_version, last_connected_at, server_identity, server_started_at) on instances to {writer};
grant insert, update on credentials, instances, instance_activity, zones to {web};
revoke select on credentials from {reader};
grant select (credential_id, name, username, created_at, updated_at) on credentials to {reader}
