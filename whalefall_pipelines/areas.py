"""The list of areas. Each is a folder beside this module, whose `__init__.py` has its `AREA`."""

from functools import cache
from importlib import import_module
from typing import cast

from whalefall_pipelines.area import Area
from whalefall_pipelines.domain.months import PartitionedTable

# This is the only place where an area is registered. `whalefall --help` uses this order.
AREAS = (
    "installation",
    "api",
    "demo",
    "simulator",
    "workers",
    "inventory",
    "capacity",
    "tables",
    "growth",
    "aggregation",
    "forecasts",
    "accounts",
    "classification",
    "alerts",
    "sessions",
    "retention",
    "doctor",
)


@cache
def areas() -> tuple[Area, ...]:
    """Every area. Only its package is imported, and the modules that `AREA` needs."""
    return tuple(cast("Area", import_module(f"{__package__}.{name}").AREA) for name in AREAS)


def partitioned_tables() -> tuple[PartitionedTable, ...]:
    """The tables that have a table partition for each month."""
    return tuple(table for area in areas() for table in area.partitioned_tables)


def partitioned_table_names() -> tuple[str, ...]:
    """Their names."""
    return tuple(table.name for table in partitioned_tables())
