"""The fault matrix: whatever fails, nothing is lost, nothing is invented, no session stays running, and the next run repairs the day.

matrix.py      every fault: its engines, what the user sees, how it heals, where it runs (the words for it are fault.py)
invariants.py  what must hold after every one of them
scene.py       a fleet in a store of its own, collected by the real service: one server that is under fault, and a neighbour that is not
targets.py     that server: PostgreSQL, MariaDB, and the SQL Server of `servers/sqlserver`
seams.py       places where a run is stopped: between its steps at a server, and at a statement or a commit in the store
breaks.py      how each fault of a server is made, and mended
stores.py      a store on a server of its own, to be stopped, killed, filled or used up
runtime/processes.py   real runs in processes of their own, to be killed
readme.py      the README's table of it all

`make test-faults` runs all of it and prints the table; `make test` leaves out the slow rows.
"""
