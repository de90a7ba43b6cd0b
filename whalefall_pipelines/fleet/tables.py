"""The question how large the tables of a database are, and the Protocol of its adapters (`<engine>/tables.py`)."""

from typing import Protocol

from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableSizes
from whalefall_pipelines.fleet.probe import Probe, Question


class TablesProbe(Probe, Protocol):
    """An open connection that measures the tables of databases."""

    def measure_tables(self, database_name: str, at_most: int) -> TableSizes | MissingSize:
        """The largest tables and table partitions of a database, at most this many, and the rest in one row."""
        ...


TABLES: Question[TablesProbe] = Question("tables")
