"""Oracle without an Oracle: its dictionary as tables, and what a listener and a server say on the wire.

double.py     a DB-API connection whose statements DuckDB executes over tables that are as Oracle documents its dictionary
"""
