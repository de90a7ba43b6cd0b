"""The documented columns of the inventory. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "instances": (
        ("instance_id", "integer", "key"),
        ("name", "text", "unique"),
        ("engine", "text", "postgresql, mysql (MariaDB too), sqlserver or oracle"),
        ("host", "text", "the host name or address"),
        ("port", "integer", "the port"),
        ("default_database", "text", "the database to connect to; NULL for the default of the engine"),
        ("credential_id", "integer", "the login, in credentials"),
        ("tags", "jsonb", "free labels"),
        ("capacity_limit_bytes", "bigint", "the size at which the server is full; NULL if not specified"),
        ("server_identity", "text", "the identity that the server reports; NULL if it has none or was never reached"),
        ("is_replica", "boolean", "whether it may share the identity of another instance"),
        ("is_active", "boolean", "whether it is collected"),
        ("zone", "text", "the zone from which it is reached; NULL for the centre"),
        ("deleted_at", "timestamp with time zone", "when it was removed; its history stays"),
        ("server_version", "text", "as reported when the server was last reached"),
        ("last_connected_at", "timestamp with time zone", "when it was last reached"),
    ),
    "instance_databases": (
        ("instance_id", "integer", "key, with database_name"),
        ("database_name", "text", "as the server spells it"),
        ("is_active", "boolean", "whether it is expected on future days"),
        ("first_seen_date", "date", "the first day on which it was listed"),
        ("last_seen_date", "date", "the last day on which it was listed"),
        ("deleted_at", "timestamp with time zone", "when it was found to have been dropped"),
        ("native_id", "text", "the server's own identifier of the database; NULL if the engine has none"),
        ("renamed_from", "text", "the previous name; NULL if it was never renamed"),
    ),
    "credentials": (
        ("credential_id", "integer", "key"),
        ("name", "text", "unique"),
        ("username", "text", "the user name of the login"),
        ("secret", "text", "env:NAME, file:PATH or an encrypted password; NULL for a login without a password"),
    ),
    "zones": (
        ("name", "text", "key"),
        ("description", "text", "free text"),
    ),
    "instance_activity": (
        ("instance_id", "integer", "key, with active_from"),
        ("active_from", "date", "the first day on which the server is expected"),
        ("active_until", "date", "the day from which it is not expected; NULL while it is active"),
    ),
    "database_activity": (
        ("instance_id", "integer", "key, with database_name and active_from"),
        ("database_name", "text", "the name in this interval"),
        ("active_from", "date", "the first day on which the database is expected under this name"),
        ("active_until", "date", "the day from which it is not; NULL while it is in the inventory"),
        ("database_id", "integer", "the same for all names of one database of an instance"),
        ("first_measured_date", "date", "the first day with a size; NULL if it was never measured"),
    ),
}
