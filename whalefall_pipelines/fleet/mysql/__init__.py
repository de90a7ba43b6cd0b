"""MySQL and MariaDB: connection, session, sizes, names and shared tablespaces."""
