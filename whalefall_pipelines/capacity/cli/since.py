"""The option that the questions about days share."""

from datetime import date, timedelta

import click

from whalefall_pipelines.domain.days import parse_since


def _since(_context: click.Context, _option: click.Parameter, text: str) -> date | timedelta:
    since = parse_since(text)
    if since is None:
        raise click.BadParameter(f"{text!r} is neither a number of days, like 30d, nor a date, like 2026-10-01.")
    return since


since_option = click.option(
    "--since",
    metavar="7d|30d|2026-10-01",
    default="30d",
    show_default=True,
    callback=_since,
    help="The first day, or the number of days before the newest one.",
)
