"""PostgreSQL: connection, sizes, names and errors."""
