"""An Oracle for tests that speaks the thin protocol on a real socket, and executes our own statements over a small dictionary.

server.py   listens, and carries one session a thread: accept, TLS, log-in, statements, breaks
wire.py     packets, numbers and values as bytes
double.py   the dictionary's views as tables in DuckDB, what a login may see of them, and AWR; statements are translated by sqlglot
targets.py  it as a target of the adapter

It is no Oracle, and no recording of one: it answers as python-oracledb reads. What a real dictionary holds is as Oracle documents it.
"""
