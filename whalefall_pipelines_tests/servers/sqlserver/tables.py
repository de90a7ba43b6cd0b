"""Adds tables to the databases of the SQL Server for tests."""

from dataclasses import dataclass, field

from whalefall_pipelines_tests.servers.sqlserver.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Index:
    """One partition of one index; 0 is a heap, 1 the clustered index. An internal table belongs to the table that it indexes."""

    index_id: int = 1
    pages: int = 1
    lob_pages: int = 0
    rows: int = 0
    partition_number: int = 1
    is_internal: bool = False


@dataclass(slots=True)
class TablesOf:
    """Adds tables to a database of a catalogue."""

    catalogue: Catalogue
    database: str
    _schemas: dict[str, int] = field(default_factory=dict)

    def add(self, schema: str, name: str, *indexes: Index, kind: str = "U", is_shipped: bool = False, is_in_memory: bool = False) -> None:
        table = self._object(schema, name, kind, is_shipped=is_shipped)
        if kind == "U":
            self._insert("tables", table, is_in_memory)
        for index in indexes:
            holder = table
            if index.is_internal:
                holder = self._object("sys", f"xml_index_nodes_{table}", "IT", is_shipped=True)
                self._insert("internal_tables", holder, table)
            partition, hobt = self.catalogue.new_number(), self.catalogue.new_number()
            self._insert("partitions", holder, index.index_id, index.partition_number, partition, hobt, index.rows)
            self._insert("allocation_units", index.pages, 1, hobt)
            if index.lob_pages:
                self._insert("allocation_units", index.lob_pages, 2, partition)

    def _object(self, schema: str, name: str, kind: str, *, is_shipped: bool) -> int:
        if schema not in self._schemas:
            self._schemas[schema] = self.catalogue.new_number()
            self._insert("schemas", self._schemas[schema], schema, 1)
        number = self.catalogue.new_number()
        self._insert("objects", number, self._schemas[schema], name, kind, is_shipped)
        return number

    def _insert(self, table: str, *values: object) -> None:
        marks = ", ".join("?" for _ in values)
        database = "(select database_id from server.databases where name = ?)"
        self.catalogue.run(f"insert into server.{table} select {database}, {marks}", self.database, *values)
