"""A SQL Server for tests that speaks TDS 7.4 on a real socket, and executes our own statements over a small catalogue.

server.py     listens, and serves each session in a thread: prelogin, TLS, login, requests, attention
channel.py    TDS messages over a socket, plain or through TLS inside TDS
messages.py   the contents of prelogin, login and requests, and the tokens of the answers
values.py     the types in use, as bytes
engine.py     T-SQL to DuckDB by sqlglot, and errors by the server's own numbers
catalogue.py  databases, files, logins, privileges and backups as tables; what a login can see of them

It is not SQL Server: drivers, wire, TLS, types, time-outs, errors and the logic of our statements are exercised; what the real catalogue
views hold is as Microsoft documents it, written down in catalogue.py. A statement that our `sql/probes/sqlserver/` does not have, and a
table, column or function that the catalogue does not have, is an error of the server.
"""
