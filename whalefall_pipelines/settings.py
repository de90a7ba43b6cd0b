"""Every environment variable that whalefall reads, typed, in one place.

Values come from the environment, then from `settings.env` in the home folder (plain KEY=value lines). Only the edges (`cli`, `defs`)
call `load`; everything below is given a `Settings`. Secrets are kept out of `repr`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values

from whalefall_pipelines.errors import InputError


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process was told by its environment. Durations are in the unit that the name says."""

    home: Path
    database_url: str | None = field(repr=False)
    dagster_database_url: str | None = field(repr=False)
    secret_key: str | None = field(repr=False)
    timezone: ZoneInfo
    start_date: date
    grace_hours: int
    max_gap_days: int
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

    @property
    def grace(self) -> timedelta:
        """How long after midnight yesterday may still be measured."""
        return timedelta(hours=self.grace_hours)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        InputError: a variable cannot be used; the sentence names it.
    """
    given = dict(os.environ if environment is None else environment)
    home = Path(given.get("WHALEFALL_HOME") or ".whalefall").expanduser().absolute()
    saved = {name: value for name, value in dotenv_values(home / "settings.env").items() if value is not None}
    values = saved | {name: value for name, value in given.items() if value != ""}
    retention_months, aggregation_retention_months = _retentions(values)
    return Settings(
        home=home,
        database_url=values.get("WHALEFALL_DATABASE_URL"),
        dagster_database_url=values.get("WHALEFALL_DAGSTER_DATABASE_URL"),
        secret_key=values.get("WHALEFALL_SECRET_KEY"),
        timezone=_timezone(values),
        start_date=_date(values, "WHALEFALL_START_DATE", "2026-01-01"),
        grace_hours=_integer(values, "WHALEFALL_GRACE_HOURS", 2, least=0, most=23),
        max_gap_days=_integer(values, "WHALEFALL_MAX_GAP_DAYS", 14, least=0, most=366),
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
    )


def _timezone(values: Mapping[str, str]) -> ZoneInfo:
    name = values.get("WHALEFALL_TIMEZONE", "Asia/Shanghai")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"WHALEFALL_TIMEZONE is {name!r}, which is no time zone name; use one like Asia/Shanghai or UTC.") from error


def _date(values: Mapping[str, str], name: str, default: str) -> date:
    text = values.get(name, default)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}, which is no date; write it as YYYY-MM-DD.") from error


def _integer(values: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise InputError(f"{name} is {text!r}; it must be a whole number from {least} to {most}.")
    return int(text)


def _retentions(values: Mapping[str, str]) -> tuple[int, int]:
    """How long sizes and aggregations are kept. Three months and the running one hold every day of the running quarter.

    The first quarter that is wholly kept shows its change to the quarter before, which began up to three months earlier: without that,
    the nightly recomputation would make expired periods again, and final ones from what is left of their days.
    """
    months = _integer(values, "WHALEFALL_RETENTION_MONTHS", 12, least=3, most=1200)
    aggregation_months = _integer(values, "WHALEFALL_AGGREGATION_RETENTION_MONTHS", 60, least=6, most=1203)
    if aggregation_months < months + 3:
        raise InputError(
            f"WHALEFALL_AGGREGATION_RETENTION_MONTHS is {aggregation_months}, but with WHALEFALL_RETENTION_MONTHS {months} it must be at "
            f"least {months + 3}: a quarter is compared with the one before it, which must still be there."
        )
    return months, aggregation_months


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
