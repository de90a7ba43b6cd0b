"""PostgreSQL servers as targets: one per version, logins on them, and certificates for TLS.

The store's own server is in `conftest.py`; clusters are started by `local_servers/postgresql.py`.
"""

import itertools
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import psycopg2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import wait_select

from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.fleet.postgresql.probe import PostgresProbe
from whalefall_pipelines.fleet.probe import Probe
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import PostgresBinaries, available
from whalefall_pipelines_tests.conftest import FAST

MAJORS = (15, 16, 17, 18)
# Only Debian provides it, while the others come with the project's own extras.
OPTIONAL_MAJORS = (15,)
_numbers = itertools.count()


def binaries_of(major: int) -> PostgresBinaries:
    """The binaries of a version; without them the test is skipped, and under CI it fails unless the version is optional."""
    chosen = next((binaries for binaries in available() if binaries.major == major), None)
    if chosen is None:
        message = f"no PostgreSQL {major} here: install the extra `dev`, or postgresql-{major}"
        if os.environ.get("CI") == "true" and major not in OPTIONAL_MAJORS:
            pytest.fail(message)
        pytest.skip(message)
    return chosen


def new_cluster(major: int, folder: Path, *options: str) -> PostgresCluster:
    """A cluster of this version, not yet started. Autovacuum is off, so that a size does not change between two queries."""
    return PostgresCluster(
        bin_dir=binaries_of(major).bin_dir,
        folder=folder,
        options=(*FAST, "autovacuum=off", "log_line_prefix=%u: ", *options),
        initdb_options=("--wal-segsize=4", "-N"),
    )


class PostgresServers:
    """One running server per version, each started on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clusters: dict[int, PostgresCluster] = {}

    def of(self, major: int) -> PostgresCluster:
        """The server of this version."""
        if major not in self._clusters:
            cluster = new_cluster(major, self._folder / str(major))
            cluster.start(with_parent=True)
            self._clusters[major] = cluster
        return self._clusters[major]

    def stop(self) -> None:
        """Stop those that were started."""
        for cluster in self._clusters.values():
            cluster.stop()


@contextmanager
def superuser(cluster: PostgresCluster, database: str = "postgres") -> Generator[Cursor]:
    """A session of the superuser in autocommit mode."""
    connection = psycopg2.connect(cluster.url(database))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def new_name(kind: str) -> str:
    """A name that no other test uses."""
    return f"{kind}_{next(_numbers)}"


def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def bytes_of(folder: Path) -> int:
    """The length of all files in a folder, according to the file system."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def create_database(cluster: PostgresCluster, name: str | None = None) -> str:
    """Create a database; return its name."""
    name = name or new_name("database")
    with superuser(cluster) as cursor:
        cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return name


def create_login(cluster: PostgresCluster, username: str | None = None, *attributes: str) -> Login:
    """A new role that can log in, with only the privileges of PUBLIC."""
    login = Login(username or new_name("monitor"), f"päss'\\ \"{new_name('word')}")
    with superuser(cluster) as cursor:
        statement = sql.SQL(f"create role {{}} login {' '.join(attributes)} password {{}}")
        cursor.execute(statement.format(sql.Identifier(login.username), sql.Literal(login.password)))
    return login


def ask_through(probe: Probe, statement: str) -> list[tuple[object, ...]]:
    """The answer of a probe's own session to any statement."""
    assert isinstance(probe, PostgresProbe)
    connection = probe._session.connection
    with connection.cursor() as cursor:
        cursor.execute(statement)
        wait_select(connection)
        return cursor.fetchall() if cursor.description else []


def instance_at(host: str, port: int, **settings: str | None) -> Instance:
    """A registered instance at this address."""
    return Instance(1, "target", Engine.POSTGRESQL, host, port, "monitor", **settings)


def instance_of(cluster: PostgresCluster, **settings: str | None) -> Instance:
    """A cluster as a registered instance."""
    return instance_at(cluster.host, cluster.port, **settings)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM: an authority of our own, a server certificate that it signed with its key, and another authority."""

    authority: Path
    server: Path
    server_key: Path
    stranger: Path


def make_certificates(folder: Path, *, address: str) -> Certificates:
    """Certificates for a server at this IP address, and as localhost."""
    made = Certificates(*(folder / name for name in ("authority.pem", "server.pem", "server.key", "stranger.pem")))
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("authority", authority_key, None, authority_key)
    made.authority.write_bytes(_pem(authority))
    made.server.write_bytes(_pem(_certificate("server", server_key, authority.subject, authority_key, address)))
    made.server_key.touch(mode=0o600)
    made.server_key.write_bytes(
        server_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    stranger_key = ec.generate_private_key(ec.SECP256R1())
    made.stranger.write_bytes(_pem(_certificate("stranger", stranger_key, None, stranger_key)))
    return made


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name | None, issuer_key: ec.EllipticCurvePrivateKey, address: str | None = None
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if address:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)), x509.DNSName("localhost")]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())
