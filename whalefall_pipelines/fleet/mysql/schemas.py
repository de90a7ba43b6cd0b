"""Reads what a MySQL or MariaDB server reports about each schema, and turns it into a size, a size without some tables, or none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.fleet.mysql.session import MARIADB, Session
from whalefall_pipelines.fleet.mysql.shared import SharedTables, read_shared_tables

_SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema in the server's two lists: InnoDB's own, of files, and that of the tables which the login sees.

    `unopened_count` are tablespaces without a file in the list, `unreadable_count` definitions that cannot be read.
    """

    is_visible: bool
    file_bytes: int
    table_count: int
    unopened_count: int
    shared_count: int
    innodb_count: int
    other_count: int
    unreadable_count: int
    shows_tables: bool

    @property
    def unlisted_count(self) -> int:
        """InnoDB tables that InnoDB's own list does not name."""
        return max(0, self.innodb_count - self.table_count - self.shared_count)

    @property
    def is_doubtful(self) -> bool:
        """Whether the two lists differ in a way that reading them again may help."""
        return bool(self.unopened_count or self.unlisted_count or self.unreadable_count)


@dataclass(frozen=True, slots=True)
class Schemas:
    """All of them, and their tables in shared tablespaces."""

    by_name: Mapping[str, Schema]
    shared: SharedTables
    unnameable: Mapping[str, int]  # names that stand for several folders


def read_schemas(session: Session) -> Schemas:
    """Read both lists; the tables first: one that is made between the two is a file more, which is no reason for doubt."""
    tables = {str(name): counts for name, *counts in session.rows("probes/mysql/count_tables")}
    files = {str(name): counts for name, *counts in session.rows(session.of_family("probes/mysql/sum_tablespaces_{family}"))}
    shared = read_shared_tables(session, files, {name: int(counts[-1] or 0) for name, counts in files.items()})
    schemas: dict[str, Schema] = {}
    for name, (is_visible, file_bytes, table_count, unopened_count, _) in files.items():
        schemas[name] = Schema(
            bool(is_visible),
            int(file_bytes or 0) + shared.exact_bytes.get(name, 0),
            int(table_count or 0),
            int(unopened_count or 0),
            shared.table_counts[name],
            *(int(count or 0) for count in tables.get(name, (0, 0, 0))),
            shows_tables=name in tables,
        )
    listed = Counter(str(name) for (name,) in session.rows("probes/mysql/list_databases"))
    return Schemas(schemas, shared, {name: count for name, count in listed.items() if count > 1})


def size_of(session: Session, name: str, schema: Schema, shared: SharedTables, *, was_cut_off: bool) -> DatabaseSize | MissingSize:
    """Add up what the lists say, and ask for what they do not: tables of other engines.

    Tables that tell no size are left out and named, unless they are more than half of them: then the sum would say nothing of the schema.
    """
    if schema.unopened_count and was_cut_off:
        unopened = counted(schema.unopened_count, "tablespace was", "tablespaces were")
        sentence = f"{unopened} not opened before the deadline of a statement; the next probe continues."
        return MissingSize(name, Reason.INCOMPLETE, sentence)
    family, by_statistics = session.family, shared.counted.get(name, [])
    total = schema.file_bytes + sum(table.total_bytes or 0 for table in by_statistics)
    unsized = schema.unopened_count + schema.unlisted_count + sum(table.total_bytes is None for table in by_statistics)
    has_statistics = bool(by_statistics)
    if schema.other_count or schema.unreadable_count:
        ((other_bytes, other_unsized, estimated_count),) = session.rows("probes/mysql/sum_other_tables", database_name=name)
        total += int(other_bytes or 0)
        unsized += int(other_unsized or 0)
        has_statistics = has_statistics or bool(estimated_count)
    if not unsized:
        method = family.with_statistics if has_statistics else family.exact
        return DatabaseSize(name, total_bytes=total, data_bytes=total, method=method, notice=shared.old_statistics(name))
    table_count = max(unsized, schema.innodb_count + schema.other_count + schema.unreadable_count)
    sentence = _unsized(session, name, unsized, table_count)
    if unsized * 2 > table_count:
        return MissingSize(name, Reason.INCOMPLETE, sentence)
    return DatabaseSize(name, total_bytes=total, data_bytes=total, method=family.incomplete, notice=sentence)


def _unsized(session: Session, name: str, unsized: int, table_count: int) -> str:
    names: Sequence[str] = [str(table) for (table,) in session.rows("probes/mysql/list_unsized_tables", database_name=name)]
    rest = unsized - len(names[:_SHOWN_NAMES])
    named = ", ".join(names[:_SHOWN_NAMES]) + (f" and {rest} more" if names and rest > 0 else "")
    lost, tables = "damaged, lost or discarded" if session.family is MARIADB else "lost", counted(table_count, "table")
    sentence = counted(
        unsized,
        f"of {tables} reports no size, because it is a CSV table or is {lost}; it is not counted",
        f"of {tables} report no size, because they are CSV tables or are {lost}; they are not counted",
    )
    return f"{sentence}{': ' + named if named else ''}."
