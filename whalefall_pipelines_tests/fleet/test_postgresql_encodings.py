"""Names in any encoding, on servers of every encoding: each database is measured, whichever database we connect to."""

from pathlib import Path

import pytest

from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.postgresql.names import decode_name
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.postgresql import MAJORS, create_login, instance_of, new_cluster, superuser
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process
ENCODINGS = ("SQL_ASCII", "LATIN1", "EUC_JP", "UTF8")
# As bytes: one word in three encodings, text that looks like such bytes, and bytes that are not a character in any encoding.
NAMES = (
    b"caf\xe9",
    b"caf\xc3\xa9",
    rb"caf\xe9",
    "漢字".encode("euc_jp"),
    b"\xff\xfe",
    rb"back\slash",
    b'"quoted" %s',
    b"new\nline",
    b"plain",
)


def create(server: PostgresCluster, name: bytes) -> None:
    """Create a database of this name, through a session whose encoding lets every byte pass."""
    with superuser(server, "raw") as cursor:
        cursor.execute("set client_encoding to 'SQL_ASCII'")
        cursor.execute(b'create database "' + name.replace(b'"', b'""') + b'" template template0 strategy file_copy')


def truth(server: PostgresCluster) -> dict[bytes, int]:
    """Every name with its size, as the server sends them to a session that converts nothing."""
    with superuser(server, "raw") as cursor:
        cursor.execute("set client_encoding to 'SQL_ASCII'")
        cursor.execute("select textsend(datname::text), pg_database_size(oid) from pg_database")
        return {bytes(name): size for name, size in cursor.fetchall()}


@pytest.mark.parametrize("major", MAJORS)
def test_every_name_is_measured_whichever_database_is_connected_to(major: int, tmp_path: Path) -> None:
    with running(new_cluster(major, tmp_path)) as server:
        with superuser(server) as cursor:
            cursor.execute("create database raw encoding 'SQL_ASCII' template template0")
            for encoding in ENCODINGS:
                cursor.execute(f"create database door_{encoding} encoding '{encoding}' template template0")
        for name in NAMES:
            create(server, name)
        login = create_login(server)
        for encoding in ENCODINGS:
            with ServerFleet().connect(SIZES, instance_of(server, default_database=f"door_{encoding}".lower()), login) as probe:
                expected = truth(server)  # the first session in a database creates a file there
                assert len(expected) == len(NAMES) + len(ENCODINGS) + 4
                listed = probe.list_databases()
                assert set(listed) == {decode_name(name) for name in expected}
                outcomes = probe.measure(list(listed))
                assert {outcome.database_name: outcome.total_bytes for outcome in outcomes if isinstance(outcome, DatabaseSize)} == {
                    decode_name(name): size for name, size in expected.items()
                }


def test_one_grant_is_enough_for_every_database_even_with_a_name_that_cannot_be_typed(tmp_path: Path) -> None:
    with running(new_cluster(MAJORS[-1], tmp_path)) as server:
        with superuser(server) as cursor:
            cursor.execute("create database raw encoding 'SQL_ASCII' template template0")
        create(server, b"caf\xe9")
        create(server, b"caf\xc3\xa9")
        login = create_login(server)
        with superuser(server, "raw") as cursor:
            cursor.execute("set client_encoding to 'SQL_ASCII'")
            for name in (b"caf\xe9", b"caf\xc3\xa9"):
                cursor.execute(b'revoke connect on database "' + name + b'" from public')
        with ServerFleet().connect(SIZES, instance_of(server), login) as probe:
            names = ("café", "caf\\xe9")
            (grant,) = {outcome.detail for outcome in probe.measure(names) if isinstance(outcome, MissingSize)}
            with superuser(server) as cursor:
                cursor.execute(grant)
            assert all(isinstance(outcome, DatabaseSize) for outcome in probe.measure(names))
