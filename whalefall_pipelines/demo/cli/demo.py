"""`whalefall demo`: a fleet of real servers on this machine with a simulated history; today is collected through Dagster."""

import getpass
import os
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Self

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from whalefall_pipelines.api.links import sign_in_link
from whalefall_pipelines.api.tokens import LINK_MINUTES
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.demo.demo_day import DemoDay, demo_console, demo_fleet, refuse_own_store, run_demo
from whalefall_pipelines.demo.history import HISTORY_DAYS
from whalefall_pipelines.domain.sessions import Session
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.lock import hold_lock, lock_holder
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.runtime.processes import end_process
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import format_bytes, json_option, note, print_json, print_table
from whalefall_pipelines.terminal.progress import error_console


@click.command()
@click.option("--stop", is_flag=True, help="Stop the console, the demo's servers and the store; their data is kept.")
@json_option
def demo(*, stop: bool, as_json: bool) -> None:
    """Start a fleet of real servers with a simulated history, and a console over it.

    Today is collected through Dagster. The console runs in the background; a link that signs you in once is printed at the end. It is
    safe to repeat, and it refuses a home that monitors servers of your own.
    """
    settings = load_settings()
    refuse_own_store(settings)
    if stop:
        if (running := lock_holder(settings.home / "demo.lock")) is not None:  # it would start again what is stopped here
            end_process(running)
        stopped = ["the console"] if demo_console(settings).stop() else []
        stopped += demo_fleet(settings).stop()
        if embedded.cluster(settings).stop():
            stopped.append("the store")
        note(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
        return
    started = time.monotonic()
    with hold_lock(settings.home / "demo.lock", "whalefall demo", process_id=os.getpid()), DemoProgress() as progress:
        progress.say(f"starting the store in {settings.home}")
        with open_store(settings, may_make=True) as database:
            day = run_demo(settings, database, progress)
            url = demo_console(settings).url
            link = sign_in_link(database, url, getpass.getuser(), command="demo: sign-in link", now=system_clock())
    if as_json:
        gaps = [asdict(gap) for gap in day.report.gaps]
        print_json(
            {"day": day.day, "session_id": day.session.session_id, "summary": asdict(day.report.summary), "missing": gaps, "sign_in": link}
        )
    else:
        _print_day(day, time.monotonic() - started)
        _print_next(day, url, link)


def _print_day(day: DemoDay, seconds: float) -> None:
    summary = day.report.summary
    click.echo(
        f"\n{day.day}: {summary.databases} databases on {summary.instances} of {day.session.total_instances} servers, "
        f"{format_bytes(summary.total_bytes)} ({summary.total_bytes or 0:,} bytes)\n"
    )
    rows = [
        {
            "server": instance.instance_name,
            "engine": instance.engine,
            "databases": instance.database_count,
            "bytes": instance.total_bytes,
            "size": format_bytes(instance.total_bytes),
            "since yesterday": format_bytes(instance.change_bytes),
        }
        for instance in day.report.instances
    ]
    print_table(list(rows[0]) if rows else [], rows, empty="Nothing was measured.", droppable=("engine", "bytes"))
    click.echo(f"\nMissing today: {summary.missing}, each with a reason")
    missing = [
        {"server": gap.instance_name, "database": gap.database_name or "(never listed)", "reason": gap.reason, "what to do": gap.detail}
        for gap in day.report.gaps
    ]
    print_table(list(missing[0]) if missing else [], missing)
    click.echo(
        f"\nThe {HISTORY_DAYS} days before today are SIMULATED (method = 'simulated'); today is measured on real servers.\n"
        f"Session {day.session.session_id}, Dagster run {day.session.run_id}, {seconds:.0f} s."
    )


def _print_next(day: DemoDay, url: str, link: str) -> None:
    """What to try next, and last the link. A log may keep it: it works once, on this machine, and what it shows is simulated."""
    click.echo(
        "\nWhat to try next (in .venv/bin unless it is activated):\n"
        "  whalefall up                          schedules, and the Dagster UI beside the console, with this day\n"
        f"  whalefall sessions show {str(day.session.session_id)[:8]}      every server of this run\n"
        "  whalefall growth --since 1d --tables  what grew since yesterday, and the tables behind it\n"
        "  whalefall accounts who-can drop orders.invoices   who, through which roles, and since when\n"
        "  whalefall instances test              what the login can see, and the exact GRANT that is missing\n"
        '  psql "$(whalefall store url)"         and then: table capacity_coverage\n'
        "  whalefall demo --stop                 stop the console, the demo's servers and the store, which are still running\n"
        f"  whalefall tokens link --scope admin --access --url {url}   another link like the one below\n\n"
        f"The console is at {url}. This link signs you in once within {LINK_MINUTES} minutes:\n{link}"
    )


class DemoProgress:
    """Prints a line per step on standard error. On a terminal, a bar below them shows the progress and the elapsed time."""

    def __init__(self) -> None:
        """Create the bar; nothing is shown yet."""
        columns = (SpinnerColumn(), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        console = error_console()
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("", total=None)
        self._started = time.monotonic()
        self._said = 0

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._progress.stop()

    def expect(self, steps: int) -> None:
        """Set the number of steps that follow."""
        self._progress.update(self._task, total=self._said + steps)

    def say(self, sentence: str) -> None:
        """Print the message of a step above the bar. All earlier steps are done."""
        line = f"[{time.monotonic() - self._started:5.1f} s] {sentence}"
        with suppress(OSError):  # the terminal may have been closed, as in `note`
            self._progress.console.print(line, markup=False, soft_wrap=True)
        self._progress.update(self._task, completed=self._said, description="")
        self._said += 1

    def show(self, session: Session) -> None:
        """Draw the progress of the last step's session."""
        if session.total_instances:
            done = session.successful_instances + session.failed_instances + session.skipped_instances
            description = f"{done} of {session.total_instances} servers"
            self._progress.update(self._task, completed=self._said - 1 + done / session.total_instances, description=description)
