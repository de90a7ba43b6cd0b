"""The fault matrix: whatever fails, nothing is lost, nothing is invented, no session stays running, and the next run repairs the day.

matrix.py      every fault: its engines, what the user sees, how it recovers, where it runs (its types are in fault.py)
invariants.py  what must hold after every one of them
scene.py       a fleet in its own store, collected by the real service: one server under fault, and a healthy neighbour
targets.py     the server under fault: PostgreSQL, MariaDB, and the SQL Server of `servers/sqlserver`
seams.py       points where a run is stopped: between its steps at a server, and at a statement or a commit in the store
breaks.py      how each fault of a server is caused and repaired
stores.py      a store on its own server, to be stopped, killed, filled or exhausted
runtime/processes.py   real runs in their own processes, to be killed
table.py       the table of faults in the documentation

`make test-faults` runs all of it and prints the table; `make test` leaves out the slow rows.
"""
