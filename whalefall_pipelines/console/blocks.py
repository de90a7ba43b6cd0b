"""What a page is made of, as data: figures, pictures, tables and notes. `render.py` makes HTML of it, `arrange.py` sorts and filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.domain.quantities import counted, round_size

UNKNOWN = "–"
_LONGEST_WORD = 32

# What a value is sorted and exported by.
Raw = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Value:
    """A cell or a figure: the text that a person reads, the exact value behind it, and where a click leads."""

    text: str
    raw: Raw = None
    exact: str | None = None
    url: str | None = None
    is_number: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it has a word that no column is wide enough for, so that it must be broken."""
        return any(len(word) > _LONGEST_WORD for word in self.text.split())

    @property
    def is_moment(self) -> bool:
        """Whether it is a day or a point in time, which is written on one line."""
        return isinstance(self.raw, date)


@dataclass(frozen=True, slots=True)
class Card:
    """A figure with its name, and what it covers."""

    name: str
    value: Value
    covers: str = ""


@dataclass(frozen=True, slots=True)
class Cards:
    """Figures side by side."""

    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with as many values as there are columns. `key` names the table in the query of the page: `largest.sort=size`.

    `sentence` says what the rows say together, and `empty` what it means that there is none.
    """

    key: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    empty: str = "Nothing to show."
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, what its shapes and colours mean, and the same numbers as a table. A series of days and sizes can be zoomed."""

    title: str
    svg: str
    legend: Sequence[tuple[str, str]] = ()
    table: Table | None = None
    is_series: bool = False


class Tone(StrEnum):
    """How a note is meant."""

    GOOD = "good"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for a person, and what to do next; `command` is ready to copy."""

    tone: Tone
    sentence: str
    next_step: str = ""
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """What a person may fill in: its name, its label, what it holds, and an example. `kind` is an input type, `lines` or `choice`.

    A checkbox is ticked if it holds any text. `options` are the value and the label of each choice.
    """

    name: str
    label: str
    content: str = ""
    example: str = ""
    kind: str = "text"
    options: Sequence[tuple[str, str]] = ()
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A question with blanks. The answer is the same page with the fields in its address."""

    title: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Form:
    """Something that a person may do here, if they have the scope. Without fields it is a button; a longer form opens on a click."""

    action: str
    title: str
    scope: Scope
    fields: Sequence[Field] = ()
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    hint: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Forms:
    """What a person may do, side by side."""

    forms: Sequence[Form]


@dataclass(frozen=True, slots=True)
class Links:
    """Where a person may go next."""

    links: Sequence[Value]


Block = Cards | Table | Picture | Note | Search | Forms | Links


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its title, one sentence that answers its question, and its blocks. While something `is_running`, it renews itself."""

    title: str
    answer: str
    blocks: Sequence[Block]
    is_running: bool = False

    @property
    def has_series(self) -> bool:
        """Whether a picture of it can be zoomed."""
        return any(isinstance(block, Picture) and block.is_series for block in self.blocks)


def problem(sentence: str, detail: str) -> Note:
    """What is wrong and why. A detail that is a statement to run is shown ready to copy."""
    return Note(Tone.PROBLEM, sentence, command=detail) if detail.startswith("GRANT ") else Note(Tone.PROBLEM, sentence, detail)


def text(content: str | None, url: str | None = None) -> Value:
    """A text, as a link if there is a URL."""
    return Value(UNKNOWN, None) if content is None else Value(content, content, url=url)


def size(total_bytes: int | None) -> Value:
    """A size with its unit; the exact bytes are behind it."""
    if total_bytes is None:
        return Value(UNKNOWN, None, is_number=True)
    return Value(round_size(total_bytes), total_bytes, counted(total_bytes, "byte"), is_number=True)


def change(change_bytes: int | None) -> Value:
    """A change of a size, with its sign."""
    if change_bytes is None:
        return Value(UNKNOWN, None, is_number=True)
    sign = "+" if change_bytes > 0 else ""
    return Value(f"{sign}{round_size(change_bytes)}", change_bytes, counted(change_bytes, "byte", is_change=True), is_number=True)


def number(count: float | None, unit: str = "") -> Value:
    """A number, with thousands apart."""
    return Value(UNKNOWN if count is None else f"{count:,}{unit}", count, is_number=True)


def yes_or_no(value: object) -> Value:
    """A truth, as a word; None is unknown."""
    return Value(UNKNOWN, None) if value is None else text("yes" if value else "no")


def day(value: date | None, url: str | None = None) -> Value:
    """A calendar day of the installation's time zone, as a link if there is a URL."""
    return Value(UNKNOWN if value is None else value.isoformat(), value, url=url)


def instant(value: datetime | None, timezone: ZoneInfo) -> Value:
    """A point in time, in the installation's time zone."""
    if value is None:
        return Value(UNKNOWN, None)
    local = value.astimezone(timezone)
    return Value(f"{local:%Y-%m-%d %H:%M}", local, f"{local:%Y-%m-%d %H:%M:%S} {timezone.key}")
