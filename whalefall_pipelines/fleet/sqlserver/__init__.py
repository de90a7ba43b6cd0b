"""SQL Server: ODBC, connection, sizes and privileges."""
