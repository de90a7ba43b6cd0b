"""What the fixed roles of SQL Server may do, which no catalogue says. Documentation: "Server-level roles", "Database-level roles"."""

SERVER_ROLES = {
    "sysadmin": ("CONTROL SERVER",),
    "securityadmin": ("ALTER ANY LOGIN",),
    "serveradmin": ("ALTER ANY ENDPOINT", "ALTER RESOURCES", "ALTER SERVER STATE", "ALTER SETTINGS", "SHUTDOWN", "VIEW SERVER STATE"),
    "setupadmin": ("ALTER ANY LINKED SERVER",),
    "processadmin": ("ALTER ANY CONNECTION", "ALTER SERVER STATE", "VIEW SERVER STATE"),
    "diskadmin": ("ALTER RESOURCES",),
    "dbcreator": ("CREATE ANY DATABASE", "ALTER ANY DATABASE"),
    "bulkadmin": ("ADMINISTER BULK OPERATIONS",),
}
DATABASE_ROLES = {
    "db_owner": ("CONTROL",),
    "db_accessadmin": ("ALTER ANY USER", "CREATE SCHEMA"),
    "db_securityadmin": ("ALTER ANY ROLE", "ALTER ANY APPLICATION ROLE", "CREATE SCHEMA", "VIEW DEFINITION"),
    "db_ddladmin": ("ALTER ANY SCHEMA", "CREATE TABLE", "CREATE VIEW", "CREATE PROCEDURE", "CREATE FUNCTION", "CREATE TYPE", "REFERENCES"),
    "db_backupoperator": ("BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT"),
    "db_datareader": ("SELECT",),
    "db_datawriter": ("INSERT", "UPDATE", "DELETE"),
}
DENYING_ROLES = {"db_denydatareader": ("SELECT",), "db_denydatawriter": ("INSERT", "UPDATE", "DELETE")}
