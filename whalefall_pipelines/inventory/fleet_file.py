"""Parses fleet files (YAML or CSV) and filter files (YAML). Every problem has its line number.

`fleet_entries.py` validates the entries; `read_text_file.py` reads the files.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace

from yaml.nodes import Node, ScalarNode, SequenceNode

from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, DatabaseFilter, Engine, NameFilter, find_engine
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet_entries import (
    INSTANCE_KEYS,
    FleetEntries,
    Problem,
    RawEntry,
    key_complaint,
    read_entries,
    split_tag,
)
from whalefall_pipelines.inventory.marked_yaml import YamlProblem, fields, items, line_of, read_yaml, text_of

_DEFAULT_KEYS = tuple(key for key in INSTANCE_KEYS if key != "name")
_OWN_LOGIN = ("username", "secret", "credential_name")


def parse_fleet_yaml(text: str, source: str) -> FleetEntries:
    """Parse a list of instances, or a mapping with `instances`, optional `defaults` for them, and optional shared `credentials`.

    Raises:
        InputError: the file is not YAML or is empty. Problems with entries are in the result instead.
    """
    root = read_yaml(text, source)
    if root is None:
        raise InputError(f"{source} is empty; it lists no instances.")
    problems: list[Problem] = []
    try:
        parts = {"instances": root} if isinstance(root, SequenceNode) else dict(fields(root, "a fleet file"))
    except YamlProblem as problem:
        raise InputError(f"{source}, line {problem.line}: {problem.sentence}") from None
    for key, node in parts.items():
        if complaint := key_complaint(key, ("instances", "defaults", "credentials")):
            problems.append(Problem(line_of(node), f"the file {complaint}."))
    defaults = _defaults(parts.get("defaults"), problems)
    credentials = list(_entries(parts.get("credentials"), "credentials", RawEntry({}), problems))
    instances = list(_entries(parts.get("instances"), "instances", defaults, problems))
    entries = read_entries(credentials, instances)
    if not (entries.credentials or entries.instances or entries.problems or problems):
        raise InputError(f"{source} lists no instances.")
    return replace(entries, problems=tuple(sorted((*problems, *entries.problems))))


def parse_fleet_csv(text: str, source: str) -> FleetEntries:
    """Parse one instance per row, under a header of the same keys. Tags are written `key=value;key=value`; empty cells are ignored.

    Raises:
        InputError: the file is not CSV or has no such header. Problems with rows are in the result instead.
    """
    problems: list[Problem] = []
    rows = _csv_rows(text, source)
    line, header = next(rows, (1, list[str]()))
    keys = [key.strip() for key in header]
    if "name" not in keys or len(set(keys)) < len(keys):  # not repeated: without a header this line is data
        raise InputError(f"{source}, line {line}: the first line must name each column once, like name,engine,host,username,secret.")
    problems += [Problem(line, f"the header {complaint}.") for key in keys if (complaint := key_complaint(key, INSTANCE_KEYS))]
    if problems:  # the columns of every row would be wrong with it
        return FleetEntries(problems=tuple(problems))
    instances = [raw for row_line, row in rows if any(row) and (raw := _csv_entry(keys, row, row_line, problems))]
    entries = read_entries((), instances)
    if not (entries.instances or entries.problems or problems):
        raise InputError(f"{source} lists no instances.")
    return replace(entries, problems=tuple(sorted((*problems, *entries.problems))))


def parse_filters(text: str, source: str) -> Mapping[Engine, DatabaseFilter]:
    """Parse a mapping of engines to `names` and `patterns` of excluded databases, in addition to the engines' system databases, and of
    `accounts` that count as the server's own.

    Raises:
        InputError: the file cannot be used; the message has the line.
    """
    filters = dict(SYSTEM_DATABASES)
    root = read_yaml(text, source)
    try:
        for key, node in fields(root, "a filter file") if root else ():
            engine = _engine(key, node)
            filters[engine] = _filter(engine, node)
    except YamlProblem as problem:
        raise InputError(f"{source}, line {problem.line}: {problem.sentence}") from None
    return filters


def _engine(name: str, node: Node) -> Engine:
    engine = find_engine(name)
    if engine is None:
        raise YamlProblem(line_of(node), f"one key is not an engine; write {', '.join(Engine)}.")
    return engine


def _filter(engine: Engine, node: Node) -> DatabaseFilter:
    shipped = SYSTEM_DATABASES[engine]
    keys = dict(fields(node, engine))
    node_of_accounts = keys.pop("accounts", None)
    databases = _more_names(shipped, engine, keys, "names, patterns and accounts")
    accounts, what = shipped.accounts, f"accounts of {engine}"
    if node_of_accounts:
        accounts = _more_names(accounts, what, dict(fields(node_of_accounts, what)), "names and patterns")
    return DatabaseFilter(databases.names, databases.patterns, accounts)


def _more_names(shipped: NameFilter, what: str, keys: Mapping[str, Node], allowed: str) -> NameFilter:
    names, patterns = set(shipped.names), list(shipped.patterns)
    for key, value in keys.items():
        if key == "names":
            names.update(_texts(value, f"names of {what}"))
        elif key == "patterns":
            patterns += _texts(value, f"patterns of {what}")
        else:
            raise YamlProblem(line_of(value), f"{what} has an unknown key; write {allowed}.")
    return NameFilter(frozenset(names), tuple(patterns))


def _texts(node: Node, what: str) -> Iterator[str]:
    for item in items(node, what):
        text = text_of(item, f"each of the {what}")
        if not text:
            raise YamlProblem(line_of(item), f"one of the {what} is empty.")
        yield text


def _defaults(node: Node | None, problems: list[Problem]) -> RawEntry:
    try:
        defaults = _entry(node, "defaults", RawEntry({})) if node else RawEntry({})
    except YamlProblem as problem:
        problems.append(Problem(problem.line, problem.sentence))
        return RawEntry({})
    complaints = {key: complaint for key in defaults.values if (complaint := key_complaint(key, _DEFAULT_KEYS))}
    problems += [Problem(defaults.line or 0, f"defaults: this mapping {complaint}.") for complaint in complaints.values()]
    return replace(defaults, values={key: text for key, text in defaults.values.items() if key not in complaints})


def _entries(node: Node | None, what: str, defaults: RawEntry, problems: list[Problem]) -> Iterator[RawEntry]:
    try:
        nodes = items(node, what) if node else []
    except YamlProblem as problem:
        problems.append(Problem(problem.line, problem.sentence))
        return
    for each in nodes:
        try:
            yield _entry(each, f"each of the {what}", defaults)
        except YamlProblem as problem:
            problems.append(Problem(problem.line, problem.sentence))


def _entry(node: Node, what: str, defaults: RawEntry) -> RawEntry:
    """Merge an entry with the defaults: null removes a default, and a login of one kind replaces a default of the other kind."""
    own_values: dict[str, str | None] = {}
    tags = dict(defaults.tags)
    for key, value in fields(node, what):
        if key != "tags":
            own_values[key] = text_of(value, key)
        elif isinstance(value, ScalarNode) and text_of(value, key) is None:
            tags.clear()
        else:
            tags |= {name: text_of(tag, f"tag {name!r}") or "" for name, tag in fields(value, "tags")}
    replaced = _OWN_LOGIN if "credential" in own_values else ("credential",) if not own_values.keys().isdisjoint(_OWN_LOGIN) else ()
    values = {key: text for key, text in defaults.values.items() if key not in replaced} | own_values
    # An unknown key is kept even without a value, so that it is reported: `password:hunter2` is such a key.
    return RawEntry({key: text or "" for key, text in values.items() if text is not None or key not in INSTANCE_KEYS}, tags, line_of(node))


def _csv_rows(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it begins. A quoted cell may span several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{source}, line {line}: this is not valid CSV: {error}.") from None


def _csv_entry(keys: list[str], row: list[str], line: int, problems: list[Problem]) -> RawEntry | None:
    if len(row) != len(keys):
        problems.append(Problem(line, f"this row has {counted(len(row), 'cell')} and the header {len(keys)}."))
        return None
    values = {key: cell for key, cell in zip(keys, row, strict=True) if cell}
    pairs = [split_tag(pair) for pair in values.pop("tags").split(";")] if "tags" in values else []
    tags = dict(pair for pair in pairs if pair)
    if len(tags) < len(pairs):
        problems.append(Problem(line, "the tags of this row must be key=value;key=value, each key once."))
        return None
    return RawEntry(values, tags, line)
