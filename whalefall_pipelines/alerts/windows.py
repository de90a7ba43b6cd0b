"""Windows of time that begin at the ticks of a cron expression. No I/O."""

from datetime import datetime, timedelta

from whalefall_pipelines.errors import InputError

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
MOST_MINUTES = 7 * 24 * 60
Cron = tuple[frozenset[int], ...]


def parse_cron(text: str) -> Cron:
    """The minutes, hours, days, months and weekdays (0 and 7: Sunday) of an expression such as `0 22 * * 6`.

    Raises:
        InputError: it is no cron expression.
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise InputError(f"{text!r:.60} is no cron expression: it has five parts, such as '0 22 * * 6' for Saturdays at 22:00")
    fields = [_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    fields[4] = frozenset(day % 7 for day in fields[4])
    return tuple(fields)


def is_within(cron: str, minutes: int, now: datetime) -> bool:
    """Whether a tick was in the last so many minutes. `now` is in the time zone in which the expression is meant."""
    fields, texts = parse_cron(cron), cron.split()
    is_either = texts[2] != "*" and texts[4] != "*"  # cron's own rule: with both, one of them is enough
    minute = now.replace(second=0, microsecond=0)
    return any(_ticks(fields, minute - timedelta(minutes=back), is_either=is_either) for back in range(minutes))


def _ticks(fields: Cron, at: datetime, *, is_either: bool) -> bool:
    days = (at.day in fields[2], at.isoweekday() % 7 in fields[4])
    return at.minute in fields[0] and at.hour in fields[1] and at.month in fields[3] and (any(days) if is_either else all(days))


def _values(part: str, name: str, least: int, most: int) -> frozenset[int]:
    values: set[int] = set()
    for item in part.split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        numbers = (str(least), str(most)) if span == "*" else (first, last if dash else str(most) if step else first)
        if not all(number.isascii() and number.isdigit() for number in (*numbers, step or "1")):
            raise InputError(f"the {name} of a cron expression is a number, a range, a list or *, not {part!r:.30}")
        begin, end, width = int(numbers[0]), int(numbers[1]), int(step or 1)
        if not least <= begin <= end <= most or width < 1:
            raise InputError(f"the {name} of a cron expression is from {least} to {most}, not {part!r:.30}")
        values.update(range(begin, end + 1, width))
    return frozenset(values)
