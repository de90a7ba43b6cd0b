"""`whalefall env`: a shell that evaluates its output uses whalefall's store, and no password is printed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines_tests.cli.trees import REPOSITORY, Home

pytestmark = pytest.mark.process

# What Dagster does with its configuration: the store's URL out of the environment, a connection through SQLAlchemy.
CONNECT = """
import os, sqlalchemy
from dagster import DagsterInstance
with DagsterInstance.get() as instance:
    print(instance.root_directory)
    print(instance.run_storage.postgres_url == os.environ["WHALEFALL_DAGSTER_DATABASE_URL"])
    print(instance.telemetry_enabled if hasattr(instance, "telemetry_enabled") else instance.get_settings("telemetry"))
    print(instance.get_concurrency_config().run_queue_config.tag_concurrency_limits)
    print(instance.run_monitoring_enabled, instance.run_monitoring_max_runtime_seconds, instance.run_retries_enabled, instance.nux_enabled)
    from dagster._grpc.client import DEFAULT_GRPC_TIMEOUT, DEFAULT_SCHEDULE_GRPC_TIMEOUT, DEFAULT_SENSOR_GRPC_TIMEOUT
    print(DEFAULT_GRPC_TIMEOUT, DEFAULT_SCHEDULE_GRPC_TIMEOUT, DEFAULT_SENSOR_GRPC_TIMEOUT)
    print(instance.run_monitoring_start_timeout_seconds, instance.code_server_process_startup_timeout)
    print(sqlalchemy.create_engine(instance.run_storage.postgres_url).connect().scalar(sqlalchemy.text("select current_database()")))
"""


def evaluate(home: Home, program: Path, script: str) -> list[str]:
    """The output of a script in a shell that evaluated the exports."""
    result = subprocess.run(
        ["bash", "-c", f'eval "$("{program}" env)" && exec "$@"', "bash", sys.executable, "-c", script],
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The command as pip installs it, in a folder outside the PATH."""
    path = tmp_path / "bin of mine" / "whalefall"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\nfrom whalefall_pipelines.cli.main import main\nmain()\n")
    path.chmod(0o755)
    return path


def test_dagster_finds_the_embedded_store_and_our_settings(prepared_home: Callable[..., Home], program: Path) -> None:
    home = prepared_home()
    folder, is_same, telemetry, limits, monitoring, questions, starts, database = evaluate(home, program, CONNECT)
    assert folder == str(home.folder / "dagster")
    assert (is_same, database) == ("True", "dagster")
    assert "False" in telemetry
    assert "{'key': 'whalefall/concurrency_group', 'value': {'applyLimitPerUniqueValue': True}, 'limit': 1}" in limits
    assert monitoring == "True 21600 True False"
    # Runs start and ticks end on a small machine with a load of 15.
    assert questions == "300 300 300"
    assert starts == "600 600"


def test_the_embedded_stores_lines_hold_no_secret_and_do_not_make_it_a_store_of_ones_own(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home()
    printed = home.run("env")
    assert printed.returncode == 0
    assert all(line.startswith("export ") for line in printed.stdout.splitlines())
    assert "export DAGSTER_DISABLE_TELEMETRY=1" in printed.stdout
    assert "export WHALEFALL_DATABASE_URL" not in printed.stdout
    password = (home.folder / "store" / "pgpass").read_text().strip().split(":")[-1]
    document = json.loads(home.succeed("env", "--json"))
    assert password not in printed.stdout + printed.stderr + json.dumps(document)
    assert document["WHALEFALL_HOME"] == str(home.folder)
    assert document["WHALEFALL_DAGSTER_DATABASE_URL"].startswith("postgresql+psycopg2://whalefall@127.0.0.1:")
    assert (home.folder / "dagster" / "workspace.yaml").samefile(REPOSITORY / "workspace.yaml")


def test_an_existing_dagster_yaml_is_kept(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home()
    own = home.folder / "dagster" / "dagster.yaml"
    own.unlink()
    own.write_text("# mine\n")
    (home.folder / "dagster" / "workspace.yaml").unlink()
    (home.folder / "dagster" / "workspace.yaml").symlink_to("/nonexistent/of an older installation")
    home.succeed("env")
    assert own.read_text() == "# mine\n"
    assert (home.folder / "dagster" / "workspace.yaml").samefile(REPOSITORY / "workspace.yaml")


def test_the_password_of_an_external_store_reaches_dagster_and_no_output(
    postgres_server: PostgresCluster, program: Path, tmp_path: Path
) -> None:
    administer(postgres_server, "create role env_own login password 'p@ss w/%rd' createdb")
    url = f"postgresql://env_own:p%40ss%20w%2F%25rd@127.0.0.1:{postgres_server.port}/env_own"
    home = Home(tmp_path / "home", {"WHALEFALL_DATABASE_URL": url, "WHALEFALL_DAGSTER_DATABASE_URL": f"{url}_dagster"})
    home.succeed("store", "migrate")
    printed, document = home.run("env"), home.run("env", "--json")
    assert printed.returncode == 0
    for output in (printed.stdout, printed.stderr, document.stdout, document.stderr):
        assert "p@ss" not in output
        assert "p%40ss" not in output
    assert json.loads(document.stdout)["WHALEFALL_DAGSTER_DATABASE_URL"] is None
    assert not [path for path in home.folder.rglob("*") if path.is_file() and "p%40ss" in path.read_text(errors="replace")]
    assert evaluate(home, program, CONNECT)[-1] == "env_own_dagster"
