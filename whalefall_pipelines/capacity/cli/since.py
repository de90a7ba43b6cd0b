"""The option that the questions about days share."""

import re
from datetime import date, timedelta

import click


def _since(_context: click.Context, _option: click.Parameter, text: str) -> date | timedelta:
    """A day as YYYY-MM-DD, or a number of days before the newest one, like 30d."""
    if match := re.fullmatch(r"([0-9]{1,4})d", text):
        return timedelta(days=int(match[1]))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a number of days, like 30d, nor a date, like 2026-10-01.") from None


since_option = click.option(
    "--since",
    metavar="7d|30d|2026-10-01",
    default="30d",
    show_default=True,
    callback=_since,
    help="The first day, or the number of days before the newest one.",
)
