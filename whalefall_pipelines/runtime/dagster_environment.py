"""The environment and the home folder with which Dagster's processes work on the same store as this one.

Starting those processes is `installation/cli/up.py` and `run_in_dagster.py`; what they are started with is `dagster_processes.py`.
"""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from whalefall_pipelines.runtime.embedded import StoreAddress
from whalefall_pipelines.settings import Settings

_PACKAGE = Path(__file__).parents[1]


def dagster_environment(settings: Settings, address: StoreAddress, timezone: ZoneInfo) -> dict[str, str]:
    """What to add to the environment of a Dagster process. It holds the store's password when that is in WHALEFALL_DATABASE_URL.

    The home folder is made ready on the way. The process is given the embedded store's URL too, so that it uses that store and never
    starts one, the store's time zone, which the calendars need before any store is opened, and absolute paths, so that it may run anywhere.
    """
    variables = {
        "DAGSTER_HOME": str(dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        # The days of a backfill are told to Dagster together, not by a commit for each.
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "WHALEFALL_HOME": str(settings.home),
        "WHALEFALL_TIMEZONE": timezone.key,
        "WHALEFALL_DATABASE_URL": address.whalefall.render_as_string(hide_password=False),
        "WHALEFALL_DAGSTER_DATABASE_URL": address.dagster.render_as_string(hide_password=False),
    }
    paths = {"WHALEFALL_FILTERS_FILE": settings.filters_file, "WHALEFALL_PG_BIN": settings.postgres_bin}
    return variables | {name: str(path) for name, path in paths.items() if path}


def dagster_home(settings: Settings) -> Path:
    """The folder for DAGSTER_HOME, with this program's `dagster.yaml` and `workspace.yaml` linked into it.

    A file of one's own in the place of a link is left alone.
    """
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        _link(home / name, _shipped(name))
    return home


def _shipped(name: str) -> Path:
    # Inside the package in a wheel, beside it in a checkout.
    return next((path for path in (_PACKAGE / name, _PACKAGE.parent / name) if path.is_file()), _PACKAGE.parent / name)


def _link(link: Path, target: Path) -> None:
    if link.exists() and not link.is_symlink():
        return
    if link.is_symlink() and link.readlink() == target:
        return
    # Made aside and moved, because another whalefall may be doing the same.
    aside = link.with_name(f".{link.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target)
    aside.replace(link)
