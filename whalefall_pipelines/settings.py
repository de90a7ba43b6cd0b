"""All environment variables that whalefall reads, as typed settings.

Values come from the environment, then from `settings.env` in the home folder (plain KEY=value lines). Only the entry points (commands and
Dagster definitions) call `load_settings`; other code gets a `Settings`. Secrets are excluded from `repr`.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.home import find_home

_PREFIX = "WHALEFALL_"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this process. The names of durations have their units.

    `requested_timezone` is used when a store is created; afterwards the store has its own time zone (`Database.timezone`).
    """

    home: Path
    database_url: str | None = field(repr=False)
    dagster_database_url: str | None = field(repr=False)
    secret_key: str | None = field(repr=False)
    secret_variables: tuple[str, ...]
    secret_folders: tuple[Path, ...]
    requested_timezone: ZoneInfo | None
    start_date: date
    grace_hours: int
    max_gap_days: int
    fail_below_coverage: float
    jump_percent: int
    jump_gigabytes: int
    parallel_instances: int
    connect_timeout_seconds: int
    statement_timeout_seconds: int
    instance_timeout_seconds: int
    retry_pauses: tuple[timedelta, ...]
    filters_file: Path | None
    oracle_awr_licensed: bool
    postgres_bin: Path | None
    partitions_ahead: int
    retention_months: int
    aggregation_retention_months: int
    session_retention_days: int
    event_retention_days: int
    expire_at_most: int
    archive_dir: Path | None
    tables_at_most: int
    tables_tag: str
    tables_over_gigabytes: int
    tables_grew_gigabytes: int
    unknown_variables: tuple["UnknownVariable", ...] = ()

    @property
    def grace(self) -> timedelta:
        """How long after midnight the day before may still be measured."""
        return timedelta(hours=self.grace_hours)


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A variable whose name begins with WHALEFALL_ and that nothing reads, and the name that may be meant."""

    name: str
    nearest: str | None

    def __str__(self) -> str:
        """A sentence without its value, which may be a password."""
        meant = f"is {self.nearest} meant?" if self.nearest else "whalefall reads no variable with a similar name."
        return f"{self.name} is set, but whalefall does not read it: {meant}"


class _Values(Mapping[str, str]):
    """The values of variables by name. It remembers which names were asked for: every other name is unknown."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._asked = {"WHALEFALL_HOME"}

    def __getitem__(self, name: str) -> str:
        self._asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def unknown(self) -> tuple[UnknownVariable, ...]:
        """The variables that begin with WHALEFALL_ and were never asked for."""
        names = sorted(name for name in self._values if name.startswith(_PREFIX) and name not in self._asked)
        return tuple(UnknownVariable(name, self._nearest(name)) for name in names)

    def _nearest(self, name: str) -> str | None:
        known = [asked.removeprefix(_PREFIX) for asked in self._asked]  # which the prefix would make similar
        nearest = get_close_matches(name.removeprefix(_PREFIX), known, 1, 0.7)
        return f"{_PREFIX}{nearest[0]}" if nearest else None


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        InputError: a variable has an invalid value; the message names it.
    """
    variables = dict(os.environ if environment is None else environment)
    home = find_home(variables)
    saved = {name: value for name, value in dotenv_values(home / "settings.env").items() if value is not None}
    values = _Values(saved | {name: value for name, value in variables.items() if value != ""})
    retention_months, aggregation_retention_months = _retentions(values)
    return Settings(
        home=home,
        database_url=values.get("WHALEFALL_DATABASE_URL"),
        dagster_database_url=values.get("WHALEFALL_DAGSTER_DATABASE_URL"),
        secret_key=values.get("WHALEFALL_SECRET_KEY"),
        secret_variables=_prefixes(values, "WHALEFALL_SECRET_VARIABLES", "MONITOR_"),
        secret_folders=_folders(values, "WHALEFALL_SECRET_FOLDERS", ("/run/secrets", home / "secrets", home / "demo")),
        requested_timezone=_timezone(values),
        start_date=_date(values, "WHALEFALL_START_DATE", "2026-01-01"),
        grace_hours=_integer(values, "WHALEFALL_GRACE_HOURS", 2, least=0, most=23),
        max_gap_days=_integer(values, "WHALEFALL_MAX_GAP_DAYS", 14, least=0, most=366),
        fail_below_coverage=_share(values, "WHALEFALL_FAIL_BELOW_COVERAGE", "0.5"),
        jump_percent=_integer(values, "WHALEFALL_JUMP_PERCENT", 30, least=1, most=1_000_000),
        jump_gigabytes=_integer(values, "WHALEFALL_JUMP_GIGABYTES", 20, least=0, most=1_000_000),
        parallel_instances=_integer(values, "WHALEFALL_PARALLEL_INSTANCES", 64, least=1, most=512),
        connect_timeout_seconds=_integer(values, "WHALEFALL_CONNECT_TIMEOUT_SECONDS", 10, least=2, most=300),
        statement_timeout_seconds=_integer(values, "WHALEFALL_STATEMENT_TIMEOUT_SECONDS", 60, least=1, most=3600),
        instance_timeout_seconds=_integer(values, "WHALEFALL_INSTANCE_TIMEOUT_SECONDS", 300, least=2, most=7200),
        retry_pauses=_pauses(values, "WHALEFALL_RETRY_MINUTES", "15,60,180"),
        filters_file=_path(values, "WHALEFALL_FILTERS_FILE"),
        oracle_awr_licensed=_yes(values, "WHALEFALL_ORACLE_AWR_LICENSED"),
        postgres_bin=_path(values, "WHALEFALL_PG_BIN"),
        partitions_ahead=_integer(values, "WHALEFALL_PARTITIONS_AHEAD", 3, least=1, most=120),
        retention_months=retention_months,
        aggregation_retention_months=aggregation_retention_months,
        session_retention_days=_integer(values, "WHALEFALL_SESSION_RETENTION_DAYS", 90, least=7, most=36_500),
        event_retention_days=_integer(values, "WHALEFALL_EVENT_RETENTION_DAYS", 90, least=7, most=36_500),
        expire_at_most=_integer(values, "WHALEFALL_EXPIRE_AT_MOST", 12, least=1, most=10_000),
        archive_dir=_path(values, "WHALEFALL_ARCHIVE_DIR"),
        tables_at_most=_integer(values, "WHALEFALL_TABLES_AT_MOST", 20_000, least=1, most=1_000_000),
        tables_tag=values.get("WHALEFALL_TABLES_TAG", "tables"),
        tables_over_gigabytes=_integer(values, "WHALEFALL_TABLES_OVER_GIGABYTES", 100, least=0, most=1_000_000),
        tables_grew_gigabytes=_integer(values, "WHALEFALL_TABLES_GREW_GIGABYTES", 10, least=0, most=1_000_000),
        unknown_variables=values.unknown(),  # last: the others were asked for
    )


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


def _timezone(values: Mapping[str, str]) -> ZoneInfo | None:
    return read_timezone(values["WHALEFALL_TIMEZONE"], "WHALEFALL_TIMEZONE") if "WHALEFALL_TIMEZONE" in values else None


def _date(values: Mapping[str, str], name: str, default: str) -> date:
    text = values.get(name, default)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}, which is not a date; write it as YYYY-MM-DD.") from error


def _integer(values: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise InputError(f"{name} is {text!r}; it must be a whole number from {least} to {most}.")
    return int(text)


def _share(values: Mapping[str, str], name: str, default: str) -> float:
    text = values.get(name, default)
    if not re.fullmatch(r"0|1|[01]?\.[0-9]{1,6}", text) or float(text) > 1:
        raise InputError(f"{name} is {text!r}; it must be a share from 0 to 1, such as 0.5.")
    return float(text)


def _retentions(values: Mapping[str, str]) -> tuple[int, int]:
    """How long sizes and aggregations are kept. Three months and the current one contain every day of the current quarter.

    The first complete quarter is compared with the quarter before, which began up to three months earlier. Without that quarter, the
    nightly recomputation would recreate expired periods, and compute final periods from incomplete days.
    """
    months = _integer(values, "WHALEFALL_RETENTION_MONTHS", 12, least=3, most=1200)
    aggregation_months = _integer(values, "WHALEFALL_AGGREGATION_RETENTION_MONTHS", 60, least=6, most=1203)
    if aggregation_months < months + 3:
        raise InputError(
            f"WHALEFALL_AGGREGATION_RETENTION_MONTHS is {aggregation_months}, but with WHALEFALL_RETENTION_MONTHS {months} it must be at "
            f"least {months + 3}: a quarter is compared with the one before it, which must still exist."
        )
    return months, aggregation_months


def _prefixes(values: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    prefixes = tuple(part.strip() for part in values.get(name, default).split(","))
    for prefix in prefixes:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix) or prefix.startswith(("WHALEFALL_", "DAGSTER_")):
            raise InputError(
                f"{name} must be a comma-separated list of prefixes of variables with server passwords, like MONITOR_; prefixes that begin "
                "with WHALEFALL_ or DAGSTER_ are not allowed."
            )
    return prefixes


def _folders(values: Mapping[str, str], name: str, default: Sequence[str | Path]) -> tuple[Path, ...]:
    folders = tuple(Path(part).expanduser() for part in (values[name].split(":") if name in values else default))
    if not all(folder.is_absolute() and folder != Path("/") for folder in folders):
        raise InputError(f"{name} must be a colon-separated list of absolute folders, like /run/secrets:/etc/whalefall.")
    return tuple(Path(os.path.normpath(folder)) for folder in folders)


def _yes(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "no")
    if text not in {"yes", "no"}:
        raise InputError(f"{name} is {text!r}; it must be yes or no.")
    return text == "yes"


def _pauses(values: Mapping[str, str], name: str, default: str) -> tuple[timedelta, ...]:
    text = values.get(name, default)
    minutes = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 1440 for part in minutes):
        raise InputError(f"{name} is {text!r}; write the pauses before each retry in minutes from 1 to 1440, as in {default}.")
    return tuple(timedelta(minutes=int(part)) for part in minutes)


def _path(values: Mapping[str, str], name: str) -> Path | None:
    text = values.get(name)
    return Path(text).expanduser().absolute() if text else None
