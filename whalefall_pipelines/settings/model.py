"""The settings of the installation itself. Each room has its own in its `settings.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, TypeVar, cast

from pydantic import Field

from whalefall_pipelines.settings.group import Day, File, Folders, Group, Prefixes, Zone, variable_of

G = TypeVar("G", bound=Group)


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A variable whose name begins with WHALEFALL_ and that nothing reads, and the name that may be meant."""

    name: str
    nearest: str | None

    def __str__(self) -> str:
        """A sentence without its value, which may be a password."""
        meant = f"is {self.nearest} meant?" if self.nearest else "whalefall reads no variable with a similar name."
        return f"{self.name} is set, but whalefall does not read it: {meant}"


class PasswordSettings(Group):
    """How passwords of monitored servers are encrypted, and where references to them may point."""

    title: ClassVar[str] = "Passwords"

    secret_key: str | None = Field(
        None,
        repr=False,
        description="Key that encrypts stored passwords. It can be several keys, separated by commas: the first one encrypts, and all "
        "of them decrypt.",
        examples=["a key file in the home folder"],
    )
    secret_variables: Prefixes = Field(
        ("MONITOR_",), description="Prefixes of the variables that `env:NAME` may refer to, separated by commas.", examples=["`MONITOR_`"]
    )
    secret_folders: Folders | None = Field(
        None,
        description="Folders of the files that `file:/PATH` may refer to, separated by colons.",
        examples=["`/run/secrets`, and `secrets` and `demo` in the home folder"],
    )


class Settings(Group):
    """The settings of this process: those of the store here, and every other group by its class.

    `timezone` is used when a store is created; afterwards the store has its own time zone (`Database.timezone`). An example of a field
    says in words what holds by default, where the value of the default does not.
    """

    title: ClassVar[str] = "Store"

    home: File = Field(
        description="Folder of the installation: embedded store, logs, key file and `settings.env`. This variable is read only from "
        "the environment.",
        examples=["[found](home.md) from the current folder"],
    )
    database_url: str | None = Field(
        None,
        repr=False,
        description="URL of your own PostgreSQL, 15 or later. Without it the embedded store is used.",
        examples=["the embedded store"],
    )
    dagster_database_url: str | None = Field(
        None,
        repr=False,
        description="URL of Dagster's own database, if the store is your own PostgreSQL.",
        examples=["the database `dagster` beside the store"],
    )
    pg_bin: File | None = Field(
        None,
        description="Folder with the PostgreSQL server binaries of the embedded store. An existing store needs the major version that "
        "created it.",
        examples=["the newest installed version, otherwise the wheel"],
    )
    timezone: Zone | None = Field(
        None,
        description="Time zone in which days begin and schedules run. It is used when the store is created. A different value is refused "
        "afterwards; `whalefall store set-timezone` changes it.",
        examples=["the time zone of the machine"],
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="URL at which people reach the console, such as https://whalefall.example. Links in the Dagster UI lead there.",
        examples=["the host of the Dagster UI"],
    )
    start_date: Day = Field(date(2026, 1, 1), description="First day of the calendars in Dagster.")

    groups: Mapping[type[Group], Group] = {}
    # Those that look like ours and that nothing reads.
    unknown_variables: tuple[UnknownVariable, ...] = ()

    def of(self, group: type[G]) -> G:
        """The settings of this group."""
        return cast("G", self.groups[group])

    def with_group(self, group: Group) -> "Settings":
        """These settings with another group in place of that of the same class."""
        return self.model_copy(update={"groups": {**self.groups, type(group): group}})

    def paths(self) -> Mapping[str, Path]:
        """The files and folders that are set, except the home, by the names of their variables."""
        values = ((name, value) for group in (self, *self.groups.values()) for name, value in group)
        return {variable_of(name): value for name, value in values if isinstance(value, Path) and name != "home"}
