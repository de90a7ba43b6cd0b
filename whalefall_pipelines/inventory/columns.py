"""The columns of the inventory as the UI shows them. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "instances": (
        ("instance_id", "integer", "key"),
        ("name", "text", "unique"),
        ("engine", "text", "postgresql, mysql (MariaDB too), sqlserver or oracle"),
        ("host", "text", "where it listens"),
        ("port", "integer", "where it listens"),
        ("default_database", "text", "the database to connect to; NULL is the engine's own"),
        ("credential_id", "integer", "the login, in credentials"),
        ("tags", "jsonb", "free labels"),
        ("capacity_limit_bytes", "bigint", "what the server may hold; NULL when not stated"),
        ("is_active", "boolean", "whether it is collected"),
        ("deleted_at", "timestamp with time zone", "when it was removed; its history stays"),
        ("server_version", "text", "as the server said when it was last reached"),
        ("last_connected_at", "timestamp with time zone", "when it was last reached"),
    ),
    "instance_databases": (
        ("instance_id", "integer", "key, with database_name"),
        ("database_name", "text", "as the server spells it"),
        ("is_active", "boolean", "whether it is expected on days to come"),
        ("first_seen_date", "date", "the first day on which it was listed"),
        ("last_seen_date", "date", "the last day on which it was listed"),
        ("deleted_at", "timestamp with time zone", "when it was found gone"),
    ),
}
