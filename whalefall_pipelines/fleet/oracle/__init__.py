"""Oracle Database: connection, sizes and privileges."""
