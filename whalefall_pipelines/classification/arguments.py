"""The kinds of arguments that functions of rules have, and what makes a value of each valid."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.errors import InputError

ArgumentValue = str | int | bool | tuple[str, ...]
MOST_ITEMS, MOST_LETTERS, MOST_NUMBER = 500, 1000, 100_000


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function."""

    parse: Callable[[object, str], ArgumentValue]
    is_required: bool = True


def text(value: object, what: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value or len(value) > MOST_LETTERS or "\0" in value:
        raise InputError(f"{what} must be a text of 1 to {MOST_LETTERS} characters, not {value!r:.60}")
    return value


def number(value: object, what: str) -> int:
    """A whole number that is not negative."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_NUMBER:
        raise InputError(f"{what} must be a number from 0 to {MOST_NUMBER}, not {value!r:.60}")
    return value


def flag(value: object, what: str) -> bool:
    """True; without the argument it is not asked for."""
    if value is not True:
        raise InputError(f"{what} must be true or left out, not {value!r:.60}")
    return True


def texts(value: object, what: str) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or not 1 <= len(cast("list[object]", value)) <= MOST_ITEMS:
        raise InputError(f"{what} must be a list of 1 to {MOST_ITEMS} texts")
    return tuple(text(item, what) for item in cast("list[object]", value))


def engines(value: object, what: str) -> tuple[str, ...]:
    """A list of engines."""
    names = texts(value, what)
    unknown = [name for name in names if name not in list(Engine)]
    if unknown:
        raise InputError(f"{what}: there is no engine {', '.join(unknown)}; the engines are {', '.join(Engine)}")
    return names


def pattern(value: object, what: str) -> str:
    """A LIKE pattern: % for any letters, _ for one, a backslash before either that is meant."""
    likes = text(value, what)
    if (len(likes) - len(likes.rstrip("\\"))) % 2:
        raise InputError(f"{what} ends with a single backslash, which escapes nothing")
    return likes


def version(value: object, what: str) -> str:
    """Numbers with dots between, such as 15.4."""
    numbers = text(value, what)
    if not all(part.isdecimal() and part.isascii() and len(part) < 9 for part in numbers.split(".")):
        raise InputError(f"{what} must be numbers separated by dots, such as '15.4', not {numbers!r:.60}")
    return numbers
