"""Time zones by name, and the one of this machine."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from whalefall_pipelines.errors import InputError


def read_timezone(name: str, what: str) -> ZoneInfo:
    """The time zone with this name.

    Raises:
        InputError: there is no such time zone. `what` names the setting in the message.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"{what} is {name!r}, which is not a time zone name; use a name like Asia/Shanghai or UTC.") from error


def machine_timezone(environment: Mapping[str, str] | None = None, etc: Path = Path("/etc")) -> ZoneInfo:
    """The time zone of this machine: from TZ, or else the target of /etc/localtime, or else /etc/timezone, or else UTC."""
    variables = os.environ if environment is None else environment
    linked = (etc / "localtime").resolve()
    names = [variables.get("TZ", "").removeprefix(":")]
    names += ["/".join(linked.parts[linked.parts.index("zoneinfo") + 1 :])] if "zoneinfo" in linked.parts else []
    with suppress(OSError):
        names.append((etc / "timezone").read_text().strip())
    for name in filter(None, names):
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo("UTC" if name == "Etc/UTC" else name)  # Debian's name for UTC
    return ZoneInfo("UTC")
