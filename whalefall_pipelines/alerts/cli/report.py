"""`whalefall report`: what happened in a week."""

import sys
from datetime import datetime, timedelta

import click

from whalefall_pipelines.alerts.report_week import monday_of, read_week
from whalefall_pipelines.alerts.weekly import to_html, to_markdown
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import json_option, print_json


@click.command()
@click.option("--week", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Any day of the week; by default the last complete week.")
@click.option("--html", "as_html", is_flag=True, help="Print an HTML page for mail and print instead of Markdown.")
@json_option
def report(*, week: datetime | None, as_html: bool, as_json: bool) -> None:
    """Report a week: total, growth by tag, runways, changes of access, coverage and alerts.

    The report of a week that was sent is printed as it was sent.
    """
    with open_store(load_settings()) as database:
        day = week.date() if week else today(system_clock(), database.timezone) - timedelta(days=7)
        shown = read_week(database, monday_of(day))
    if as_json:
        print_json({"week_start": shown.week_start, "sections": [section.document for section in shown.sections]})
    else:
        sys.stdout.write(to_html(shown) if as_html else to_markdown(shown))
