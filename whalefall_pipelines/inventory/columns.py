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
        ("is_active", "boolean", "whether it is collected"),
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
        ("deleted_at", "timestamp with time zone", "when it was found to be dropped"),
    ),
}
