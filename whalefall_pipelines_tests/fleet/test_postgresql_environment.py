"""What libpq reads on the collector's machine, variables and files of the home folder, does not change a probe."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.fleet.test_postgresql_tls import tls
from whalefall_pipelines_tests.servers.postgresql import create_login

pytestmark = pytest.mark.process
__all__ = ["tls"]
# An undefined service, session settings that are not allowed, wrong certificates and settings, the address of another server.
VARIABLES = {
    "PGSERVICE": "undefined",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGOPTIONS": "-c search_path=nowhere -c nonsense=1",
    "PGSSLMODE": "verify-full",
    "PGSSLCERT": "/no/such/certificate",
    "PGSSLROOTCERT": "/no/such/authority",
    "PGSSLMINPROTOCOLVERSION": "nonsense",
    "PGCHANNELBINDING": "require",
    "PGTARGETSESSIONATTRS": "standby",
    "PGREQUIREAUTH": "gss",
    "PGGSSENCMODE": "require",
    "PGLOADBALANCEHOSTS": "nonsense",
    "PGREQUIREPEER": "nobody",
    "PGCONNECT_TIMEOUT": "nonsense",
    "PGCLIENTENCODING": "nonsense",
    "PGAPPNAME": "hijacked",
    "PGTZ": "nowhere/at all",
    "PGDATESTYLE": "nonsense",
    "PGGEQO": "nonsense",
}
PROBE = """
import json, sys
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.errors import TargetError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
host, port, username, password, sslmode = json.load(sys.stdin)
try:
    instance = Instance(1, "target", Engine.POSTGRESQL, host, port, username, sslmode=sslmode)
    with ServerFleet().connect(SIZES, instance, Login(username, password)) as probe:
        (size,) = probe.measure(["postgres"])
        print(size.total_bytes > 0)
except TargetError as error:
    print(error.reason, error)
"""


def probing(server: PostgresCluster, login: Login, home: Path, variables: dict[str, str], sslmode: str | None = None) -> str:
    """The output of a probe from a machine with these variables and this home folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | variables | {"HOME": str(home)}
    target = json.dumps([server.host, server.port, login.username, login.password, sslmode])
    ended = subprocess.run(
        [sys.executable, "-c", PROBE], input=target, capture_output=True, text=True, check=False, env=environment, timeout=60
    )
    return ended.stdout.strip() + ended.stderr.strip()


def test_variables_change_nothing(newest: PostgresCluster, tmp_path: Path) -> None:
    assert probing(newest, create_login(newest), tmp_path, VARIABLES) == "True"


@pytest.mark.parametrize("sslmode", [None, "require"])
def test_files_of_the_home_folder_change_nothing(tls: PostgresCluster, tmp_path: Path, sslmode: str | None) -> None:
    folder = tmp_path / ".postgresql"
    folder.mkdir()
    (folder / "root.crt").write_bytes((tls.folder / "stranger.pem").read_bytes())
    (folder / "postgresql.crt").write_text("no certificate")
    (folder / "postgresql.key").write_text("no key")
    (tmp_path / ".pg_service.conf").write_text("[evil]\nhostaddr=192.0.2.1\noptions=-c nonsense=1\n")
    assert probing(tls, create_login(tls), tmp_path, {"PGSERVICE": "evil"}, sslmode) == "True"


def test_a_login_without_a_password_gets_none_of_the_home_folders(newest: PostgresCluster, tmp_path: Path) -> None:
    login = create_login(newest)
    password_file = tmp_path / ".pgpass"
    password_file.write_text("*:*:*:*:" + str(login.password).replace("\\", "\\\\").replace(":", "\\:"))
    password_file.chmod(0o600)
    for variables in ({}, {"PGPASSFILE": str(password_file)}, {"PGPASSWORD": str(login.password)}):
        output = probing(newest, Login(login.username, None), tmp_path, variables)
        assert output.startswith("authentication_failed"), output
        assert "no password supplied" in output


@pytest.mark.parametrize("sslmode", ["verify-ca", "verify-full"])
def test_an_authority_to_trust_is_named_by_the_instance_alone(tls: PostgresCluster, tmp_path: Path, sslmode: str) -> None:
    folder = tmp_path / ".postgresql"
    folder.mkdir()
    (folder / "root.crt").write_bytes((tls.folder / "authority.pem").read_bytes())
    output = probing(tls, create_login(tls), tmp_path, {}, sslmode)
    assert output.startswith("tls_failed"), output
    assert f"sslmode {sslmode} needs an sslrootcert" in output
