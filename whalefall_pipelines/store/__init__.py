"""The store, our PostgreSQL database. `database.py` has the connections and transactions; rows become domain objects."""
