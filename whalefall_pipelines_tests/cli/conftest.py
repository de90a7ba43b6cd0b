"""Homes for commands that are run as people run them."""

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from whalefall_pipelines_tests.cli.trees import REPOSITORY, Home


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A home with a migrated store that does not run: made once for all workers, because Dagster alone takes seconds for its tables."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    with (base / "prepared.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = base / "prepared"
        if not folder.exists():
            home = Home(base / "prepared.partial")
            home.succeed("store", "migrate", seconds=300)  # Dagster makes a hundred tables, on a machine that may be busy
            home.succeed("store", "stop")
            (home.folder / "store" / "port").unlink()
            home.folder.rename(folder)
    return folder


@pytest.fixture
def prepared_home(prepared_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """Makes homes with a migrated store of their own; what still runs for them at the end of the test is ended."""
    homes: list[Home] = []

    def make(more: Mapping[str, str] | None = None, checkout: Path = REPOSITORY) -> Home:
        home = Home(tmp_path / "a home's" / f"ömé {len(homes)}", more or {}, checkout)
        shutil.copytree(prepared_folder, home.folder, symlinks=True)
        homes.append(home)
        return home

    yield make
    for home in homes:
        home.end()
