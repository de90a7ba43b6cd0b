"""Our PostgreSQL: one module per folder of `sql/`, rows in and domain objects out. `database.py` is the way in."""
