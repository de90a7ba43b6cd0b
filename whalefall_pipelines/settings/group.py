"""A group of settings: the class that each room derives from, and the types of values that pydantic does not know.

A field is one environment variable: WHALEFALL_ and its name in capitals. Its description is its meaning. A value that is not a plain
number has a type here, which refuses a wrong one with a sentence that says what to write instead.
"""

import os
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar
from zoneinfo import ZoneInfo

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.settings.timezones import read_timezone

PREFIX = "WHALEFALL_"
G = TypeVar("G", bound="Group")


class Group(BaseModel):
    """Settings that belong together. The names of durations and sizes include their units. Secrets are excluded from `repr`."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    # The heading in the reference. Groups of one title stand together.
    title: ClassVar[str]

    @classmethod
    def variables(cls) -> Mapping[str, FieldInfo]:
        """The fields by the names of their variables. A field without a meaning is not a variable."""
        return {variable_of(name): field for name, field in cls.model_fields.items() if field.description}

    @classmethod
    def read(cls, values: Mapping[str, str], **more: object) -> Self:
        """The group with the values of these variables.

        Raises:
            InputError: a variable has an invalid value; the message names it.
        """
        texts = {name: values[variable_of(name)] for name in cls.model_fields if variable_of(name) in values}
        try:
            return cls.model_validate(texts | more)
        except ValidationError as error:
            problem = error.errors()[0]
            name = str(problem["loc"][0])
            expected = range_of(cls.model_fields[name])
            raise InputError(f"{variable_of(name)} is {problem['input']!r}; it must be a {expected}.") from error


def variable_of(field_name: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field_name}".upper()


def range_of(field: FieldInfo) -> str:
    """The values that a numeric setting may have, in words."""
    least = next(limit.ge for limit in field.metadata if isinstance(limit, Ge))
    most = next(limit.le for limit in field.metadata if isinstance(limit, Le))
    return f"{'share' if field.annotation is float else 'whole number'} from {least} to {most}"


def _parsed(parse: Callable[[str, str], object]) -> BeforeValidator:
    """Parses a text with a function that gets it and the name of its variable. Pydantic passes an `InputError` on as it is."""

    def validate(value: object, info: ValidationInfo) -> object:
        return parse(value, variable_of(str(info.field_name))) if isinstance(value, str) else value

    return BeforeValidator(validate)


def _date(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}, which is not a date; write it as YYYY-MM-DD.") from error


def _yes(text: str, name: str) -> bool:
    if text not in {"yes", "no"}:
        raise InputError(f"{name} is {text!r}; it must be yes or no.")
    return text == "yes"


def _minutes(text: str, name: str) -> tuple[int, ...]:
    minutes = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 1440 for part in minutes):
        raise InputError(f"{name} is {text!r}; write the pauses before each retry in minutes from 1 to 1440, as in 15,60,180.")
    return tuple(int(part) for part in minutes)


def _prefixes(text: str, name: str) -> tuple[str, ...]:
    prefixes = tuple(part.strip() for part in text.split(","))
    for prefix in prefixes:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix) or prefix.startswith((PREFIX, "DAGSTER_")):
            raise InputError(
                f"{name} must be a comma-separated list of prefixes of variables with server passwords, like MONITOR_; prefixes that begin "
                "with WHALEFALL_ or DAGSTER_ are not allowed."
            )
    return prefixes


def _folders(text: str, name: str) -> tuple[Path, ...]:
    folders = tuple(Path(part).expanduser() for part in text.split(":"))
    if not all(folder.is_absolute() and folder != Path("/") for folder in folders):
        raise InputError(f"{name} must be a colon-separated list of absolute folders, like /run/secrets:/etc/whalefall.")
    return tuple(Path(os.path.normpath(folder)) for folder in folders)


def _names(text: str, name: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise InputError(f"{name} must be a comma-separated list of names, like centre,dmz.")
    return names


def _path(text: str, _name: str) -> Path:
    return Path(text).expanduser().absolute()


Day = Annotated[date, _parsed(_date)]
YesNo = Annotated[bool, _parsed(_yes)]
Minutes = Annotated[tuple[int, ...], _parsed(_minutes)]
Prefixes = Annotated[tuple[str, ...], _parsed(_prefixes)]
Names = Annotated[tuple[str, ...], _parsed(_names)]
Folders = Annotated[tuple[Path, ...], _parsed(_folders)]
File = Annotated[Path, _parsed(_path)]
Zone = Annotated[ZoneInfo, _parsed(read_timezone)]
