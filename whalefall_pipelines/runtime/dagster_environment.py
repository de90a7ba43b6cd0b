"""The environment and the home folder with which Dagster's processes use the same store as this process.

`installation/cli/up.py` and `sessions/run_in_dagster.py` start those processes; `dagster_processes.py` has their commands.
"""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from whalefall_pipelines.runtime.embedded import StoreAddress
from whalefall_pipelines.settings import Settings

_PACKAGE = Path(__file__).parents[1]


def dagster_environment(settings: Settings, address: StoreAddress, timezone: ZoneInfo) -> dict[str, str]:
    """The additional environment variables of a Dagster process. They contain the store's password if WHALEFALL_DATABASE_URL does.

    The home folder is prepared as well. The process gets the embedded store's URL, so that it uses that store and never starts one; the
    store's time zone, which the calendars need before the store is opened; and absolute paths, so that it can run in any folder.
    """
    variables = {
        "DAGSTER_HOME": str(dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        # The days of a backfill are reported to Dagster together, not with one commit each.
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        # Each question to the code server: the start of a run, the tick of a sensor or schedule. After Dagster's 60 s, runs "failed to
        # start" on a small machine with a load of 15.
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "300",
        "WHALEFALL_HOME": str(settings.home),
        "WHALEFALL_TIMEZONE": timezone.key,
        "WHALEFALL_DATABASE_URL": address.whalefall.render_as_string(hide_password=False),
        "WHALEFALL_DAGSTER_DATABASE_URL": address.dagster.render_as_string(hide_password=False),
    }
    return variables | {name: str(path) for name, path in settings.paths().items()}


def dagster_home(settings: Settings) -> Path:
    """The folder for DAGSTER_HOME, with this program's `dagster.yaml` and `workspace.yaml` linked into it.

    A user's own file in place of a link is left alone.
    """
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        _link(home / name, _shipped(name))
    return home


def _shipped(name: str) -> Path:
    # In a wheel it is inside the package, in a checkout beside it.
    return next((path for path in (_PACKAGE / name, _PACKAGE.parent / name) if path.is_file()), _PACKAGE.parent / name)


def _link(link: Path, target: Path) -> None:
    if link.exists() and not link.is_symlink():
        return
    if link.is_symlink() and link.readlink() == target:
        return
    # Created under another name and moved, because another whalefall process may do the same.
    aside = link.with_name(f".{link.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target)
    aside.replace(link)
