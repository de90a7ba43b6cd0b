"""Folders for private servers, and servers that are already initialized."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.runtime.local_servers.kinds import cluster_in, mariadb_in
from whalefall_pipelines_tests.servers.running import running

# Neither the socket nor the port belongs to the copy.
_NOT_COPIED = shutil.ignore_patterns("socket", "port")


@pytest.fixture(scope="session")
def cluster_made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialized, stopped PostgreSQL to be copied: initdb takes ten times as long as a copy."""
    with running(cluster_in(tmp_path_factory.mktemp("made") / "postgresql")) as cluster:
        return cluster.folder


@pytest.fixture
def made_cluster(cluster_made_once: Path, tmp_path: Path) -> PostgresCluster:
    """A stopped PostgreSQL for this test."""
    return cluster_in(shutil.copytree(cluster_made_once, tmp_path / "postgresql", ignore=_NOT_COPIED))


@pytest.fixture(scope="session")
def mariadb_made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialized, stopped MariaDB to be copied."""
    with running(mariadb_in(tmp_path_factory.mktemp("made") / "mariadb")) as server:
        return server.folder


@pytest.fixture
def made_mariadb(mariadb_made_once: Path, tmp_path: Path) -> MariadbServer:
    """A stopped MariaDB for this test."""
    return mariadb_in(shutil.copytree(mariadb_made_once, tmp_path / "mariadb", ignore=_NOT_COPIED))


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that every user may enter and write: pytest's own are private to their user."""
    folder = Path("/tmp") / f"whalefall-{tmp_path.parent.name}-{tmp_path.name}-{os.getpid()}"  # noqa: S108
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)
