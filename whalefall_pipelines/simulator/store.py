"""Writes a simulated fleet into a store of its own, in sets: servers, inventories, days, gaps and sessions."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.simulator.days import SimulatedDay
from whalefall_pipelines.simulator.model import SimulatedServer, Simulation
from whalefall_pipelines.store.copy_text import Lines, iso, number, text
from whalefall_pipelines.store.database import Cursor

_REGISTERED = ("name", "engine", "host", "port", "tags", "capacity_limit_bytes")


def mark_simulated(cursor: Cursor, simulation: Simulation) -> bool:
    """Mark the store as simulated. Returns False if it has servers, or was simulated before."""
    cursor.execute(queries.load("simulator/mark_simulated"), {"simulation": json.dumps(asdict(simulation), default=str)})
    return cursor.fetchone() is not None


def insert_servers(cursor: Cursor, servers: Sequence[SimulatedServer], first_day: date) -> Mapping[str, int]:
    """Register these servers and return their ids by name."""
    rows = [{name: value for name, value in asdict(server).items() if name in _REGISTERED} for server in servers]
    cursor.execute(queries.load("simulator/insert_servers"), {"servers": json.dumps(rows), "first_day": first_day})
    return {name: instance_id for instance_id, name in cursor.fetchall()}


def insert_days(cursor: Cursor, days: Iterable[SimulatedDay], ids: Mapping[str, int], last_day: date) -> None:
    """Write the days of servers that have none yet, and their inventories. `ids` are by the name of the server."""
    cursor.execute(queries.load("simulator/create_staging"))
    cursor.copy_from(Lines(_line(day, ids[day.server_name]) for day in days), "simulated_days", size=1 << 20)
    cursor.execute(queries.load("simulator/insert_inventory"), {"last_day": last_day})
    cursor.execute(queries.load("simulator/insert_sizes"))
    cursor.execute(queries.load("simulator/insert_gaps"))


def insert_sessions(cursor: Cursor, first_day: date, last_day: date, instances: int) -> None:
    """Write an ended session for each of these days (inclusive)."""
    days = {"first_day": first_day, "last_day": last_day}
    cursor.execute(queries.load("simulator/insert_sessions"), {**days, "instances": instances})
    cursor.execute(queries.load("simulator/end_sessions"), days)


def _line(day: SimulatedDay, instance_id: int) -> str:
    reason = text(day.reason) if day.reason else "\\N"
    return f"{instance_id}\t{text(day.database_name)}\t{iso(day.stat_date)}\t{number(day.total_bytes)}\t{reason}\n"
