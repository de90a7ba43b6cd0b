"""Passwords of every kind pass through a whole installation, one that works and one that breaks, and are searched for everywhere:
in the output of commands with `--debug`, in both databases with what Dagster compressed, and in every file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines_tests.canaries import everything_in, everything_under, traces
from whalefall_pipelines_tests.cli.commands import everything, whalefall
from whalefall_pipelines_tests.cli.trees import Home

pytestmark = pytest.mark.process
STORE, DAGSTER, KEY = "canary-store-5d0f11", "canary-dagster-5d0f22", "canary-key-5d0f33"
BY_ENV, BY_FILE, SEALED, WRONG = (f"canary-login-5d0f{number}" for number in (44, 55, 66, 77))
SECRETS = (STORE, DAGSTER, KEY, BY_ENV, BY_FILE, SEALED, WRONG)
COMMANDS = (
    ("collect",),
    ("collect", "--instance", "wrong"),
    ("coverage", "--days", "3"),
    ("aggregate", "--period", "monthly", "--start", "2026-11-01"),
    ("verify",),
    ("sessions", "list"),
    ("sessions", "list", "--json"),
    ("partitions", "list"),
    ("partitions", "plan"),
    ("instances", "list", "--json"),
    ("instances", "test"),
    ("instances", "test", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("store", "status"),
    ("store", "url"),
    ("store", "url", "--database", "dagster"),
    ("store", "roles"),
    ("env",),
    ("env", "--json"),
)


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation with a password for everything, of which each kind is a canary."""

    home: Home
    cluster: PostgresCluster

    def run(self, *arguments: str, **changed: str) -> str:
        """All output of a command and the traceback of its exception, checked."""
        output = everything(whalefall(self.home.environment | changed, "--debug", *arguments))
        assert traces(output, SECRETS) == [], arguments
        return output

    def check_what_is_kept(self) -> tuple[str, str]:
        """Dagster's history and the files of the home, checked together with the store's rows."""
        history, files = everything_in(self.cluster, "canary_dagster"), everything_under(self.home.folder)
        for place in (everything_in(self.cluster, "canary_whalefall"), history, files):
            assert traces(place, SECRETS) == []
        return history, files


@pytest.fixture
def installed(postgres_server: PostgresCluster, tmp_path: Path) -> Iterator[Installed]:
    logins = {"canary_store": STORE, "canary_dagster": DAGSTER, "canary_env": BY_ENV, "canary_file": BY_FILE, "canary_sealed": SEALED}
    administer(postgres_server, *(f"create role {name} login password '{password}'" for name, password in logins.items()))
    databases = {"canary_whalefall": "canary_store", "canary_dagster": "canary_dagster"}
    administer(postgres_server, *(f"create database {name} owner {owner}" for name, owner in databases.items()))
    (tmp_path / "mounted").write_text(BY_FILE)
    address = f"127.0.0.1:{postgres_server.port}"
    environment = {
        "WHALEFALL_DATABASE_URL": f"postgresql://canary_store:{STORE}@{address}/canary_whalefall",
        "WHALEFALL_DAGSTER_DATABASE_URL": f"postgresql://canary_dagster:{DAGSTER}@{address}/canary_dagster",
        "WHALEFALL_SECRET_KEY": KEY,
        "WHALEFALL_CONNECT_TIMEOUT_SECONDS": "2",
        "MONITOR_BY_ENV": BY_ENV,
        "MONITOR_WRONG": WRONG,
        "WHALEFALL_SECRET_FOLDERS": str(tmp_path),
    }
    installed = Installed(Home(tmp_path / "home", environment), postgres_server)
    installed.run("store", "migrate")
    add = ("instances", "add", "--engine", "postgresql", "--host", "127.0.0.1", "--port", str(postgres_server.port), "--replica")
    for name, username, option in (
        ("env", "canary_env", ("--secret", "env:MONITOR_BY_ENV")),
        ("file", "canary_file", ("--secret", f"file:{tmp_path / 'mounted'}")),
        ("wrong", "canary_env", ("--secret", "env:MONITOR_WRONG")),
    ):
        assert "Traceback" not in installed.run(*add, name, "--username", username, *option)
    sealed = whalefall(installed.home.environment, *add, "sealed", "--username", "canary_sealed", "--password-prompt", typed=f"{SEALED}\n")
    assert sealed.exit_code == 0, everything(sealed)
    yield installed
    administer(postgres_server, *(f"drop database {name} with (force)" for name in databases), *(f"drop role {name}" for name in logins))


def test_an_installation_that_works_keeps_its_passwords_to_itself(installed: Installed) -> None:
    outputs = {command: installed.run(*command) for command in COMMANDS}
    assert "3 of 4" in outputs["doctor",]
    history, files = installed.check_what_is_kept()
    # The search covered what it should: tags, events, compressed definitions, the store's own record of the wrong password.
    for word in ("whalefall/session_id", "AssetMaterialization", "fleet_day", "DATABASE_CONNECTION_ERROR"):
        assert word in history + everything_in(installed.cluster, "canary_whalefall"), word
    assert "PipelineSnapshot" in history, "what Dagster packs was not unpacked"
    assert "dagster_migration.log" in files


def test_an_installation_that_breaks_keeps_its_passwords_to_itself(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "filters").write_text("x: y")
    broken = installed.run("collect", WHALEFALL_FILTERS_FILE=str(tmp_path / "filters"))
    assert "Traceback" in broken
    history, files = installed.check_what_is_kept()
    assert "whalefall_pipelines.errors.InputError" in history, "the run's traceback is not in the event log"
    assert "InputError" in files
    addresses = {name: installed.home.environment[name] for name in ("WHALEFALL_DATABASE_URL", "WHALEFALL_DAGSTER_DATABASE_URL")}
    url, dagster = addresses.values()
    for changed in (
        {"WHALEFALL_DATABASE_URL": url.replace(STORE, WRONG)},
        {"WHALEFALL_DATABASE_URL": url.replace("canary_whalefall", "nowhere")},
        {"WHALEFALL_DATABASE_URL": url.replace("postgresql:", "nonsense:")},
        {"WHALEFALL_DATABASE_URL": url.replace("@", "@@:")},
        {"WHALEFALL_DATABASE_URL": url.replace(STORE, f"p@{WRONG}/w:rd")},
        {"WHALEFALL_DAGSTER_DATABASE_URL": dagster.replace(DAGSTER, f"p/{WRONG}")},
        {"WHALEFALL_DAGSTER_DATABASE_URL": dagster.replace(f":{DAGSTER}", "") + f"?sslpassword={WRONG}"},
        {"WHALEFALL_DAGSTER_DATABASE_URL": dagster.replace(DAGSTER, WRONG)},
        {"WHALEFALL_SECRET_KEY": f"{KEY}-another", "MONITOR_BY_ENV": ""},
    ):
        for command in (("collect",), ("doctor",), ("instances", "test"), ("env",), ("store", "url", "--database", "dagster")):
            installed.run(*command, **changed)
    wrong = {name: address.replace(STORE, WRONG).replace(DAGSTER, WRONG) for name, address in addresses.items()}
    for command in (("up", "--port", str(free_port())), ("store", "migrate")):
        ended = installed.home.run("--debug", *command, environment=wrong)
        assert "Traceback" in ended.stderr
        assert traces(ended.stdout + ended.stderr, SECRETS) == []
    installed.check_what_is_kept()
