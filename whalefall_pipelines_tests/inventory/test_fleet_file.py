"""Fleet files: values are read as they were written, and every error is reported with its line."""

import csv
import io
import traceback
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.quantities import LARGEST_BYTES, format_size
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet_entries import FleetEntries
from whalefall_pipelines.inventory.fleet_file import parse_fleet_csv, parse_fleet_yaml
from whalefall_pipelines.inventory.marked_yaml import LOADER, PYTHON_LOADER, Loader, read_yaml
from whalefall_pipelines.inventory.registration import CredentialEntry, InstanceEntry

SECRET = "hunter2-canary"

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=20)
hosts = st.text(st.characters(exclude_characters="\0@", exclude_categories=("Cs", "Z", "C")), min_size=1, max_size=20)
secrets = st.none() | st.from_regex(r"\Aenv:[A-Za-z_][A-Za-z0-9_]{0,8}\Z") | texts.map(lambda name: f"file:/{name}")
entries = st.builds(
    InstanceEntry,
    name=texts,
    engine=st.sampled_from(Engine),
    host=hosts.filter(lambda host: "://" not in host),
    port=st.integers(1, 65535),
    credential_name=texts,
    database=st.none() | texts,
    sslmode=st.none() | st.sampled_from(("disable", "prefer", "require", "verify-ca", "verify-full")),
    sslrootcert=st.none() | texts,
    tags=st.dictionaries(texts.filter(lambda key: not {"=", ";"} & set(key)), texts.filter(lambda value: ";" not in value), max_size=3),
    capacity_limit_bytes=st.none() | st.integers(1, LARGEST_BYTES),
)
fleets = st.lists(
    st.tuples(entries, texts, secrets),
    min_size=1,
    max_size=4,
    unique_by=(lambda entry: entry[0].name, lambda entry: entry[0].credential_name),
)
Fleet = list[tuple[InstanceEntry, str, str | None]]


def written(entry: InstanceEntry, username: str, secret: str | None) -> dict[str, object]:
    limit = entry.capacity_limit_bytes
    keys = {
        "name": entry.name,
        "engine": str(entry.engine),
        "host": entry.host,
        "port": entry.port,
        "database": entry.database,
        "username": username,
        "secret": secret,
        "credential_name": entry.credential_name,
        "sslmode": entry.sslmode,
        "sslrootcert": entry.sslrootcert,
        "tags": dict(entry.tags),
        "capacity_limit": None if limit is None else format_size(limit),
    }
    return {key: value for key, value in keys.items() if value is not None}


def expected(fleet: Fleet) -> FleetEntries:
    logins = tuple(CredentialEntry(entry.credential_name, username, secret) for entry, username, secret in fleet)
    return FleetEntries(logins, tuple(entry for entry, _, _ in fleet))


@given(fleets)
def test_a_yaml_file_says_what_was_written(fleet: Fleet) -> None:
    text = yaml.safe_dump([written(*entry) for entry in fleet], sort_keys=False)
    assert parse_fleet_yaml(text, "fleet.yaml") == expected(fleet)


@given(fleets)
def test_a_csv_file_says_what_was_written(fleet: Fleet) -> None:
    rows = [written(*entry) for entry in fleet]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    for row, (entry, _, _) in zip(rows, fleet, strict=True):
        writer.writerow(row | {"tags": ";".join(f"{key}={value}" for key, value in entry.tags.items())})
    assert parse_fleet_csv(buffer.getvalue(), "fleet.csv") == expected(fleet)


@given(st.text())
def test_any_text_is_a_fleet_or_a_sentence(text: str) -> None:
    for parse in (parse_fleet_yaml, parse_fleet_csv):
        try:
            assert isinstance(parse(text, "fleet"), FleetEntries)
        except InputError as error:
            assert str(error).startswith("fleet")  # noqa: PT017 - either way is right


def problems(text: str) -> list[tuple[int, str]]:
    parse = parse_fleet_csv if text.startswith("name,") else parse_fleet_yaml
    return [(problem.line, problem.sentence) for problem in parse(text, "fleet").problems]


def test_defaults_serve_every_instance_and_shared_credentials_are_named_once() -> None:
    document = parse_fleet_yaml(
        """
        defaults: {engine: mysql, credential: shared, database: app, tags: {env: prod}}
        credentials:
          - {name: shared, username: monitor, secret: env:SHARED}
        instances:
          - {name: plain, host: a}
          - {name: own, host: b, username: me, secret: file:/run/me, engine: postgresql, database: null, tags: {env: test, team: x}}
          - {name: bare, host: c, tags: null}
        """,
        "fleet.yaml",
    )
    assert document.problems == ()
    assert document.credentials == (CredentialEntry("shared", "monitor", "env:SHARED"), CredentialEntry("own", "me", "file:/run/me"))
    assert document.instances == (
        InstanceEntry("plain", Engine.MYSQL, "a", 3306, "shared", database="app", tags={"env": "prod"}),
        InstanceEntry("own", Engine.POSTGRESQL, "b", 5432, "own", tags={"env": "test", "team": "x"}),
        InstanceEntry("bare", Engine.MYSQL, "c", 3306, "shared", database="app"),
    )
    assert [entry.line for entry in document.instances] == [6, 7, 8]


def test_mariadb_and_postgres_are_names_of_engines() -> None:
    text = "- {name: a, engine: mariadb, host: h, username: u}\n- {name: b, engine: postgres, host: h, username: u}\n"
    entries = parse_fleet_yaml(text, "fleet.yaml")
    assert [(entry.engine, entry.port) for entry in entries.instances] == [(Engine.MYSQL, 3306), (Engine.POSTGRESQL, 5432)]


def test_every_bad_entry_is_found_with_its_line() -> None:
    text = f"""
- {{name: a, engine: sybase, host: h, username: u}}
- {{name: b, engine: db2, host: h, username: u}}
- {{name: c, engine: mysql, host: h, username: u, port: 70000}}
- {{name: d, engine: mysql, host: h}}
- {{name: "", engine: mysql, host: h, username: u}}
- {{name: f, engine: mysql, host: "u:{SECRET}@h", username: u}}
- {{name: g, engine: mysql, host: h, username: u, sslmode: maybe}}
- {{name: h, engine: mysql, host: h, username: u, capacity_limit: "500"}}
- {{name: i, engine: mysql, host: h, username: u, credential: c}}
- {{name: j, engine: mysql, host: h, username: u, password: {SECRET}}}
- {{name: k, engine: mysql, host: h, username: u, secret: {SECRET}}}
- {{name: l, engine: mysql, host: h, username: u, hots: h}}
- {{name: m, engine: mysql, host: h, username: "u\\0"}}
- {{name: n, engine: mysql, host: h, username: u, tags: [a]}}
- {{name: o, engine: mysql, host: h, username: u, secret: file:relative}}
- {SECRET}
- {{name: fine, engine: mysql, host: h, username: u}}
- {{name: fine, engine: mysql, host: other, username: u}}
- {{name: p, name: q}}
"""
    lines = problems(text)
    assert [line for line, _ in lines] == [*range(2, 18), 19, 20]
    for (line, sentence), word in zip(
        lines,
        (
            *("unknown engine", "unknown engine", "port", "login", "empty name", "host", "sslmode", "capacity_limit"),
            *("one of the two", "in plain text"),
            *("not a reference", "meant to be host", "NUL", "tags", "not a reference", "mapping", "line 18", "duplicate key"),
        ),
        strict=True,
    ):
        assert word in sentence, line
    assert SECRET not in str(lines)


def test_a_bad_default_is_one_problem_and_not_one_of_every_instance() -> None:
    assert problems("defaults: {prot: 1}\ninstances:\n- {name: a, engine: mysql, host: h, username: u}\n- x")[0][0] == 1
    assert len(problems("defaults: {name: x}\ninstances: [{name: a, engine: mysql, host: h, username: u}]")) == 1
    assert [line for line, _ in problems("instances: []\n\nservers: []")] == [3]


def test_two_logins_under_one_name_are_refused_and_the_same_login_twice_is_not() -> None:
    row = "{{name: {}, engine: mysql, host: h, credential_name: c, username: {}}}"
    assert problems("\n".join(f"- {row.format(name, 'u')}" for name in "ab")) == []
    ((line, sentence),) = problems("\n".join(f"- {row.format(name, name)}" for name in "ab"))
    assert line == 2
    assert "line 1" in sentence


def test_a_csv_row_is_found_by_the_line_on_which_it_begins() -> None:
    text = (
        "name,engine,host,username,secret,tags\n"
        'ok,mysql,h,"two\nlines",env:X,\n'
        f"a,mysql,h,u,{SECRET},\n"
        ",,,,,\n"
        "b,mysql,h\n"
        "c,mysql,h,u,,env=x;env=y\n"
    )
    assert [line for line, _ in problems(text)] == [4, 6, 7]
    assert SECRET not in str(problems(text))


def test_a_password_column_is_refused_before_its_cells_are_looked_at() -> None:
    ((line, sentence),) = problems(f"name,engine,host,password\na,mysql,h,{SECRET}\n")
    assert (line, "in plain text" in sentence, SECRET in sentence) == (1, True, False)


@pytest.mark.parametrize("text", [f"a,mysql,h,u,{SECRET}\n", "name,name\n", "", f'name\n"{SECRET}', f'name\n"x"{SECRET}\n', "name\n"])
def test_text_that_is_not_csv_with_a_header_is_refused_without_its_content(text: str) -> None:
    with pytest.raises(InputError, match=r"^fleet") as caught:
        parse_fleet_csv(text, "fleet")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


NO_YAML = (
    "a: b: c",
    f"- password: *{SECRET}",
    f"- password: !{SECRET}!x y",
    f"- password: '{SECRET}",
    f"- &{SECRET} a\n- &{SECRET} b\n- *{SECRET}x",
    f"{SECRET}: [",
    f"- password: {SECRET}\n\t- x",
    f"{SECRET}\x01",
    "[" * 100_000,
    "- " * 100_000,
)


@pytest.mark.parametrize("text", [*NO_YAML, "", "# nothing", "[]", SECRET])
def test_yaml_that_is_not_a_fleet_is_refused_without_its_content(text: str) -> None:
    with pytest.raises(InputError, match=r"^fleet") as caught:
        parse_fleet_yaml(text, "fleet")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("loader", [LOADER, PYTHON_LOADER])
@pytest.mark.parametrize("text", NO_YAML)
def test_either_loader_reports_the_line_and_not_the_content(text: str, loader: Callable[[str], Loader]) -> None:
    with pytest.raises(InputError, match=r"^fleet, line [12]: this is n") as caught:
        read_yaml(text, "fleet", loader)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_values_are_the_text_that_was_written() -> None:
    (entry,) = parse_fleet_yaml("[{name: no, engine: mysql, host: 10.1, username: 0x1F, database: 2026-01-01}]", "fleet").instances
    assert (entry.name, entry.host, entry.database) == ("no", "10.1", "2026-01-01")
