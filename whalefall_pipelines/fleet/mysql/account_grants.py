"""What a login needs to read the accounts of a MySQL or MariaDB, without their hashes: columns of mysql.user, and whole tables with none.

`SELECT ON mysql.user` would show the hashes (authentication_string, User_attributes, Password), and so would mysql.global_priv. What only
these tell comes through a view of definer rights, which a DBA makes.
"""

_SHARED_COLUMNS = (
    "Host", "User", "Select_priv", "Insert_priv", "Update_priv", "Delete_priv", "Create_priv", "Drop_priv", "Reload_priv", "Shutdown_priv",
    "Process_priv", "File_priv", "Grant_priv", "References_priv", "Index_priv", "Alter_priv", "Show_db_priv", "Super_priv",
    "Create_tmp_table_priv", "Lock_tables_priv", "Execute_priv", "Repl_slave_priv", "Repl_client_priv", "Create_view_priv",
    "Show_view_priv", "Create_routine_priv", "Alter_routine_priv", "Create_user_priv", "Event_priv", "Trigger_priv",
    "Create_tablespace_priv", "ssl_type", "ssl_cipher", "x509_issuer", "x509_subject", "max_questions", "max_updates", "max_connections",
    "max_user_connections", "plugin", "password_expired",
)  # fmt: skip
# By the suffix of the family: every column of mysql.user but those with a hash.
USER_COLUMNS = {
    "mysql": (
        *_SHARED_COLUMNS, "password_last_changed", "password_lifetime", "account_locked", "Create_role_priv", "Drop_role_priv",
        "Password_reuse_history", "Password_reuse_time", "Password_require_current",
    ),
    "mariadb": (*_SHARED_COLUMNS, "Delete_history_priv", "is_role", "default_role", "max_statement_time"),
}  # fmt: skip
_VIEWS = {
    "mysql": "SELECT Host, User, authentication_string = '' AS password_is_empty, "
    "json_contains_path(coalesce(User_attributes, '{}'), 'one', '$.additional_password') AS has_second_password, "
    "json_extract(User_attributes, '$.Restrictions') AS restrictions FROM mysql.user",
    "mariadb": "SELECT Host, User, json_value(Priv, '$.authentication_string') IN ('') AS password_is_empty, "
    "coalesce(json_value(Priv, '$.account_locked'), 0) AS is_locked, json_value(Priv, '$.password_last_changed') AS password_changed_at, "
    "json_value(Priv, '$.password_lifetime') AS password_lifetime, coalesce(json_length(Priv, '$.auth_or'), 0) AS alternatives, "
    "json_value(Priv, '$.access') AS privilege_bits FROM mysql.global_priv",
}


def grant_accounts(family: str, grantee: str) -> str:
    """Lets the login list accounts."""
    return f"GRANT SELECT ({', '.join(USER_COLUMNS[family])}) ON mysql.user TO {grantee};"


def grant_table(table: str, grantee: str) -> str:
    """Lets the login read a table that has no hashes."""
    return f"GRANT SELECT ON mysql.{table} TO {grantee};"


def create_view(family: str, grantee: str) -> str:
    """Makes the view, and lets the login read it."""
    return (
        "CREATE DATABASE IF NOT EXISTS whalefall_monitor; "
        f"CREATE OR REPLACE SQL SECURITY DEFINER VIEW whalefall_monitor.accounts AS {_VIEWS[family]}; "
        f"GRANT SELECT ON whalefall_monitor.accounts TO {grantee};"
    )
