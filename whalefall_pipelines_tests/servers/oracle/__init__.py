"""An Oracle for tests that speaks the thin protocol on a real socket, and executes our own statements over a small dictionary.

server.py   listens, and serves each session in a thread: accept, TLS, log-in, statements, breaks
wire.py     packets, numbers and values as bytes
double.py   the dictionary's views as tables in DuckDB, the views that a login sees, and AWR; statements are translated by sqlglot
targets.py  this server as a target of the adapter

It is neither an Oracle nor a recording of one: it answers what python-oracledb reads. Its dictionary is as Oracle documents it.
"""
