"""A password given to `whalefall instances` appears nowhere: in no output, message, traceback, table or file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg2 import sql

from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import everything, succeed, whalefall
from whalefall_pipelines_tests.cli.terminals import at_a_terminal
from whalefall_pipelines_tests.cli.trees import Home
from whalefall_pipelines_tests.servers.postgresql import superuser

SECRET = "hunter2-canary"
ADD = ("instances", "add", "--engine", "postgresql", "--host", "127.0.0.1", "--port", "1")


@pytest.fixture
def leaves_no_trace(store: Database, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Checks outputs, and at the end every row of the store and every file of the home."""

    def check(output: str) -> None:
        assert SECRET not in output

    yield check
    with store.transaction() as cursor:
        for table in ("credentials", "instances"):
            cursor.execute(sql.SQL("select t::text from {} as t").format(sql.Identifier(table)))
            check(str(cursor.fetchall()))
    for path in (tmp_path / "home").rglob("*"):
        check(path.read_text(errors="replace") if path.is_file() else "")


FILES = {
    "password.yaml": f"- {{name: a, engine: mysql, host: h, username: u, password: {SECRET}}}",
    "secret.yaml": f"- {{name: a, engine: mysql, host: h, username: u, secret: {SECRET}}}",
    "env.yaml": f"- {{name: a, engine: mysql, host: h, username: u, secret: 'env:{SECRET}'}}",
    "alias.yaml": f"- {{name: a, password: *{SECRET}}}",
    "quote.yaml": f'- {{name: a, password: "{SECRET}}}',
    "tag.yaml": f"- {{name: a, password: !{SECRET} x}}",
    "list.yaml": f"- name: a\n  secret: [{SECRET}]",
    "binary.yaml": f"- {{name: a, password: {SECRET}\x01}}",
    "url.yaml": f"- {{name: a, engine: mysql, host: 'mysql://u:{SECRET}@h', username: u}}",
    "space.yaml": f"- {{name: a, engine: mysql, host: h, username: u, password:{SECRET}}}",
    "bare.yaml": f"- {{name: a, engine: mysql, host: h, username: u, {SECRET}}}",
    "twice.yaml": f"- {{name: a, {SECRET}, {SECRET}}}",
    "slipped.yaml": f"- {{name: a, engine: {SECRET}, host: h, username: u, port: {SECRET}, sslmode: {SECRET}, capacity_limit: {SECRET}}}",
    "part.yaml": f"{SECRET}: x\ninstances: []",
    "slipped.csv": f"name,engine,host,port,username\na,mysql,h,{SECRET},u\n",
    "header.csv": f"name,engine,{SECRET}\na,mysql,h\n",
    "defaults.yaml": f"defaults: {{password: {SECRET}}}\ninstances: []",
    "password.csv": f"name,engine,host,username,password\na,mysql,h,u,{SECRET}\n",
    "secret.csv": f"name,engine,host,username,secret\na,mysql,h,u,{SECRET}\n",
    "headless.csv": f"a,mysql,h,u,{SECRET}\n",
    "broken.csv": f'name,engine,host,username,secret\na,mysql,h,u,"x"{SECRET}\n',
    "wide.csv": f"name,engine,host,username\na,mysql,h,u,{SECRET}\n",
    "latin.csv": f"name,engine\n{SECRET}\udcff\n",
    "fleet.txt": SECRET,
}


@pytest.mark.parametrize("name", FILES)
def test_a_refused_file_reveals_nothing(
    store: Database, store_environment: dict[str, str], tmp_path: Path, leaves_no_trace: Callable[[str], None], name: str
) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8", errors="surrogateescape")
    for debug in ((), ("--debug",)):
        result = whalefall(store_environment, *debug, "instances", "import", str(path))
        assert result.exit_code != 0
        leaves_no_trace(everything(result))
    assert active_instances(store) == ()


@pytest.mark.parametrize(
    "options",
    [
        ("--username", "u", "--secret", SECRET),
        ("--username", "u", "--secret", f"env:{SECRET}"),
        ("--username", "u", "--secret", f"file:{SECRET}"),
        ("--username", "u", "--secret", f"encrypted:{SECRET}"),
        ("--username", "u", "--password-prompt", SECRET),
        ("--username", "u", f"--password={SECRET}"),
        ("--username", "u", "--password", SECRET),
        ("--username", "u", "--host", f"postgresql://u:{SECRET}@h"),
        ("--credential", "nobody", "--password-prompt"),
        ("--username", "u", "--password-prompt", "--engine", "db2"),
    ],
)
def test_a_refused_addition_reveals_nothing(
    store: Database, store_environment: dict[str, str], leaves_no_trace: Callable[[str], None], options: tuple[str, ...]
) -> None:
    for debug in ((), ("--debug",)):
        result = whalefall(store_environment, *debug, *ADD, "a", *options, typed=f"{SECRET}\n")
        assert result.exit_code != 0
        leaves_no_trace(everything(result))
    assert active_instances(store) == ()


@pytest.mark.parametrize("kind", ["encrypted", "env", "file"])
def test_every_command_keeps_the_password_to_itself(
    store_environment: dict[str, str],
    tmp_path: Path,
    postgres_server: PostgresCluster,
    leaves_no_trace: Callable[[str], None],
    kind: str,
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text("- {name: a, engine: postgresql, host: localhost, username: nobody, tags: {x: y}}")
    environment = store_environment | {"MONITOR_SECRET": SECRET}
    option = {
        "encrypted": ("--password-prompt",),
        "env": ("--secret", "env:MONITOR_SECRET"),
        "file": ("--secret", f"file:{tmp_path / 'secret'}"),
    }
    add = (*ADD, "--port", str(postgres_server.port), "a", "--username", "nobody", *option[kind])
    leaves_no_trace(everything(whalefall(environment, "--debug", *add, typed=f"{SECRET}\n")))
    other_key = environment | {"WHALEFALL_SECRET_KEY": "another", "MONITOR_SECRET": ""}
    (tmp_path / "filters").write_text("x: y")
    for arguments in (
        add,
        ("instances", "list"),
        ("instances", "list", "--json"),
        ("instances", "show", "a"),
        ("instances", "show", "a", "--json"),
        ("instances", "test"),
        ("instances", "test", "--json"),
        ("instances", "import", str(fleet), "--dry-run"),
        ("instances", "import", "--yes", str(fleet)),
        ("instances", "disable", "a"),
        ("instances", "enable", "a", "b"),
        ("instances", "enable", "a"),
        ("instances", "test", "a"),
        ("instances", "remove", "--yes", "a"),
        ("instances", "test", "a"),
        add,
    ):
        for variables in (environment, other_key, environment | {"WHALEFALL_FILTERS_FILE": str(tmp_path / "filters")}):
            leaves_no_trace(everything(whalefall(variables, "--debug", *arguments, typed=f"{SECRET}\n")))
            leaves_no_trace(everything(whalefall(variables, *arguments, typed=f"{SECRET}\n")))


def test_a_sealed_password_opens_the_server_that_it_is_for(
    store: Database, store_environment: dict[str, str], postgres_server: PostgresCluster, leaves_no_trace: Callable[[str], None]
) -> None:
    with superuser(postgres_server) as cursor:
        cursor.execute(sql.SQL("create role sealed login password {} in role pg_read_all_stats").format(sql.Literal(SECRET)))
    try:
        add = (*ADD, "--port", str(postgres_server.port), "a", "--username", "sealed", "--password-prompt")
        leaves_no_trace(succeed(store_environment, *add, typed=f"{SECRET}\r\n"))
        leaves_no_trace(succeed(store_environment, "instances", "test"))
    finally:
        with superuser(postgres_server) as cursor:
            cursor.execute("drop role sealed")


@pytest.mark.process
def test_a_real_process_reveals_nothing_in_its_traceback(
    store_environment: dict[str, str], tmp_path: Path, leaves_no_trace: Callable[[str], None]
) -> None:
    home = Home(tmp_path / "home", store_environment | {"PYTHONFAULTHANDLER": "1"})
    for name in ("alias.yaml", "quote.yaml", "broken.csv", "latin.csv"):
        (tmp_path / name).write_text(FILES[name], encoding="utf-8", errors="surrogateescape")
        result = home.run("--debug", "instances", "import", str(tmp_path / name))
        assert "Traceback" in result.stderr
        leaves_no_trace(result.stdout + result.stderr)


@pytest.mark.process
def test_a_person_types_the_password_unseen_and_is_asked_before_anything_is_removed(
    store: Database, store_environment: dict[str, str], tmp_path: Path, leaves_no_trace: Callable[[str], None]
) -> None:
    code, shown = at_a_terminal(store_environment, tmp_path, *ADD, "a", "--username", "u", "--password-prompt", typed=f"{SECRET}\n")
    assert (code, "Password of u" in shown) == (0, True), shown
    leaves_no_trace(shown)
    code, shown = at_a_terminal(store_environment, tmp_path, "instances", "remove", "a", typed="n\n")
    assert (code, "Nothing was changed" in shown, len(active_instances(store))) == (2, True, 1), shown
    code, shown = at_a_terminal(store_environment, tmp_path, "instances", "remove", "a", typed="y\n")
    assert (code, active_instances(store)) == (0, ()), shown
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text("- {name: b, engine: mysql, host: h, username: u}")
    code, shown = at_a_terminal(store_environment, tmp_path, "instances", "import", str(fleet), typed="n\n")
    assert (code, "1 to add" in shown, active_instances(store)) == (2, True, ()), shown
    code, shown = at_a_terminal(store_environment, tmp_path, "instances", "import", "--yes", str(fleet), typed="")
    assert (code, len(active_instances(store))) == (0, 1), shown
