"""`whalefall disk`: what fills the disk of a server, by parts."""

from dataclasses import asdict, fields
from datetime import date, timedelta

import click

from whalefall_pipelines.capacity.ask import disk as ask_disk
from whalefall_pipelines.capacity.cli.since import since_option
from whalefall_pipelines.capacity.disk import Disk, PartOfDay
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, cell, format_bytes, list_options, note, print_json, print_table

_EXACT = tuple(field.name for field in fields(PartOfDay))


@click.command()
@click.argument("name", metavar="INSTANCE", shell_complete=complete_instance)
@since_option
@list_options
def disk(*, name: str, since: date | timedelta, form: Form) -> None:
    """Show what fills a server's disk: its databases, and what belongs to no database. The newest day is shown, with the growth since
    the first day on which each part is known. JSON and CSV have every day.
    """
    with open_store(load_settings()) as database:
        answer = ask_disk(database, today(system_clock(), database.timezone), name, since)
    if form is Form.JSON:
        print_json({"parts": [asdict(part) for part in answer.parts], "volumes": [asdict(volume) for volume in answer.volumes]})
        return
    if form is Form.CSV:
        print_table(_EXACT, [asdict(part) for part in answer.parts], form=form)
        return
    _print(answer, name)


def _print(answer: Disk, name: str) -> None:
    click.echo(
        f"{cell(name)} on {answer.last_day}: {'partly unknown' if answer.total_bytes is None else format_bytes(answer.total_bytes)}\n"
    )
    rows = [
        {
            "part": part.part or "databases",
            "size": format_bytes(part.total_bytes),
            "change": format_bytes(answer.change_bytes(part)),
            "unknown because": part.detail,
        }
        for part in answer.newest
    ]
    print_table(("part", "size", "change", "unknown because"), rows, empty="The server was not measured on these days.")
    volumes = [
        {
            "volume": volume.volume,
            "size": format_bytes(volume.total_bytes),
            "used": format_bytes(volume.total_bytes - volume.free_bytes),
            "free": format_bytes(volume.free_bytes),
        }
        for volume in answer.volumes
        if volume.stat_date == answer.last_day
    ]
    if volumes:
        click.echo()
        print_table(("volume", "size", "used", "free"), volumes)
    note(f"Changes are since {answer.first_day}, or since the first later day on which the part is known.")
