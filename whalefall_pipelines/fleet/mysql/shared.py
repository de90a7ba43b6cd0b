"""Tablespaces that several tables share, and the rest of a server's files, which belongs to no schema.

A general tablespace (MySQL) whose tables are all of one schema is that schema's, to the byte. What lies in any other one, or in the system
tablespace, is counted by the optimizer's statistics, because the server says nothing else of it; whatever of such a file no statistics
account for, free space and lost tables too, belongs to the instance.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.fleet.mysql.names import decoded, likeness, likeness_of_encoded
from whalefall_pipelines.fleet.mysql.session import MARIADB, Session

# What a system tablespace holds besides tables even on a new server; statistics that leave more than this and a tenth are called old.
_USUAL_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CountedTable:
    """A table as the statistics have it; None is a table of which they say nothing."""

    table_name: str
    total_bytes: int | None


@dataclass(slots=True)
class SharedTables:
    """What tables without a tablespace of their own take, by schema. `unexplained_bytes` of the shared files are in no statistics."""

    exact_bytes: dict[str, int] = field(default_factory=dict[str, int])
    counted: dict[str, list[CountedTable]] = field(default_factory=dict[str, list[CountedTable]])
    table_counts: Counter[str] = field(default_factory=Counter[str])
    unexplained_bytes: int = 0

    def counted_bytes(self) -> int:
        """What statistics attribute to all schemas together."""
        return sum(table.total_bytes or 0 for tables in self.counted.values() for table in tables)

    def old_statistics(self, schema: str) -> str | None:
        """A sentence for a schema whose statistics may be old, because much of the files that it shares is in nobody's."""
        tables = self.counted.get(schema)
        if not tables or self.unexplained_bytes <= _USUAL_BYTES + self.counted_bytes() // 10:
            return None
        return (
            f"Counted from the server's statistics: {_listed([table.table_name for table in tables])}. {self.unexplained_bytes} used "
            "bytes of their shared tablespaces appear in no statistics. Either the statistics are old (ANALYZE TABLE updates them), or "
            "the bytes are undo log."
        )


def _listed(names: Sequence[str], shown: int = 3) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {counted(rest, 'more table')}" if rest > 0 else "")


@dataclass(frozen=True, slots=True)
class _Tablespace:
    is_system: bool
    file_bytes: int
    free_bytes: int
    tables: list[tuple[str, str]]  # folder and file as they are encoded

    def owner(self, schemas: Mapping[str, Sequence[str]]) -> str | None:
        """The schema that all of its tables belong to; None where there is none, or where the folder may be that of two."""
        folders = {folder for folder, _ in self.tables}
        names = schemas.get(likeness_of_encoded(next(iter(folders))), ()) if len(folders) == 1 else ()
        return None if self.is_system or len(names) != 1 else names[0]


def read_shared_tables(session: Session, schema_names: Iterable[str], shared_counts: Mapping[str, int]) -> SharedTables:
    """Every schema's tables in shared tablespaces, of those schemas that the login sees; `shared_counts` are MariaDB's own."""
    if session.family is MARIADB:
        return _of_mariadb(session, {name: count for name, count in shared_counts.items() if count})
    return _of_mysql(session, schema_names)


def _of_mariadb(session: Session, shared_counts: Mapping[str, int]) -> SharedTables:
    """It has no general tablespaces, and names the schema of each table."""
    shared = SharedTables(table_counts=Counter(shared_counts))
    free_bytes = 0
    for schema in shared_counts:
        rows = session.rows("probes/mysql/list_statistics_mariadb", database_name=schema)
        shared.counted[schema] = [CountedTable(str(name), _bytes(total)) for _, name, total, _ in rows]
        free_bytes = max([free_bytes, *(int(free or 0) for *_, free in rows)])
    if shared_counts:
        system_bytes = instance_files(session)["system_tablespace"]
        shared.unexplained_bytes = max(0, system_bytes - free_bytes - shared.counted_bytes())
    return shared


def _of_mysql(session: Session, schema_names: Iterable[str]) -> SharedTables:
    shared, tablespaces = SharedTables(), _tablespaces(session)
    if not tablespaces:
        return shared
    schemas: defaultdict[str, list[str]] = defaultdict(list)
    for name in schema_names:
        schemas[likeness(name)].append(name)
    owned: Counter[tuple[str, str]] = Counter()
    unowned_bytes = 0
    for tablespace in tablespaces:
        owner = tablespace.owner(schemas)
        for folder, table in tablespace.tables:
            names = schemas.get(likeness_of_encoded(folder), ()) if not table.startswith("fts_") else ()
            shared.table_counts.update(names)
            if owner is not None and owner in names:
                owned[owner, likeness_of_encoded(table)] += 1
        if owner is None:
            unowned_bytes += tablespace.file_bytes - tablespace.free_bytes
        else:
            shared.exact_bytes[owner] = shared.exact_bytes.get(owner, 0) + tablespace.file_bytes
    for schema, table, total in session.rows("probes/mysql/list_statistics_mysql"):
        key = str(schema), likeness(str(table))
        if owned[key]:
            owned[key] -= 1
        else:
            shared.counted.setdefault(key[0], []).append(CountedTable(str(table), _bytes(total)))
    shared.unexplained_bytes = max(0, unowned_bytes - shared.counted_bytes())
    return shared


def _tablespaces(session: Session) -> Sequence[_Tablespace]:
    tablespaces: dict[str, _Tablespace] = {}
    for name, is_system, file_bytes, free_bytes, encoded in session.rows("probes/mysql/list_shared_tables_mysql"):
        new = _Tablespace(bool(is_system), int(file_bytes or 0), int(free_bytes or 0), [])
        folder, _, table = str(encoded).partition("/")
        tablespaces.setdefault(str(name), new).tables.append((folder, table))
    return list(tablespaces.values())


def unseen_schemas(session: Session, schema_names: Iterable[str]) -> set[str]:
    """Schemas of a MySQL that have tables in shared tablespaces, besides those that are known by name."""
    if session.family is MARIADB:
        return set()
    known = {likeness(name) for name in schema_names}
    folders = {folder for tablespace in _tablespaces(session) for folder, _ in tablespace.tables}
    return {decoded(folder) for folder in folders if likeness_of_encoded(folder) not in known}


def instance_files(session: Session) -> Counter[str]:
    """The bytes of the files that belong to no schema or not to one alone, by parts, as far as PROCESS shows them."""
    parts: Counter[str] = Counter()
    for part, total in session.rows(session.of_family("probes/mysql/list_instance_files_{family}")):
        parts[str(part)] += int(total or 0)
    return parts


def unattributed_files(session: Session, shared: SharedTables) -> Counter[str]:
    """The same without what is attributed to schemas, which is in general tablespaces, or in the system tablespace."""
    parts = instance_files(session)
    attributed = sum(shared.exact_bytes.values()) + shared.counted_bytes()
    for part in [part for part in ("general_tablespaces", "system_tablespace", "free_pages") if part in parts]:
        taken = min(parts[part], attributed)
        parts[part] -= taken
        attributed -= taken
    return parts


def binary_log_bytes(session: Session) -> int | None:
    """The binary logs; 0 where there are none, None where the login may not ask."""
    ((has_binary_log,),) = session.rows("probes/mysql/has_binary_log")
    if not has_binary_log:
        return 0
    if not session.may("probes/mysql/list_binary_logs"):
        return None
    return sum(int(total or 0) for _, total, *_ in session.rows("probes/mysql/list_binary_logs"))


def _bytes(value: str | int | None) -> int | None:
    return None if value is None else int(value)
