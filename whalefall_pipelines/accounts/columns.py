"""The documented columns of accounts. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "instance_accounts": (
        ("account_id", "integer", "key"),
        ("instance_id", "integer", "the server"),
        ("account_name", "text", "the current name: a role, user@host, a login, [database].[user]"),
        ("native_id", "text", "the server's own identifier; NULL if it has none"),
        ("account_kind", "text", "user, role, group, application or anonymous"),
        ("is_built_in", "boolean", "created by the server itself"),
        ("is_everyone", "boolean", "whether every account is a member, as of PUBLIC"),
        ("database_name", "text", "the only database in which it exists; NULL for the whole server"),
        ("is_active", "boolean", "whether the last observation listed it, or the guard keeps it"),
        ("first_seen_date", "date", "the first day on which it was listed"),
        ("last_seen_date", "date", "the last day on which it was listed; NULL while it is active"),
        ("absent_since_date", "date", "the day since which it has been missing from the listing while the guard keeps it"),
        ("deleted_at", "timestamp with time zone", "when its absence was noticed"),
        ("last_login_at", "timestamp with time zone", "its last login; NULL if the server does not report it"),
    ),
    "account_privileges": (
        ("account_id", "integer", "key, with fact_id and valid_from"),
        ("fact_id", "integer", "the privilege and its object in account_privilege_facts; the view account_privilege_versions shows them"),
        ("valid_from", "date", "the first day on which it was observed"),
        ("valid_until", "date", "the first day on which it no longer held; NULL while it holds"),
    ),
}
