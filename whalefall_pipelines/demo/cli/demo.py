"""`whalefall demo`: a fleet of real servers on this machine, its simulated past, and today collected through Dagster."""

import time
from dataclasses import asdict

import click

from whalefall_pipelines import settings
from whalefall_pipelines.capacity.cli.collect import SessionProgress
from whalefall_pipelines.demo.demo_day import DemoDay, demo_fleet, refuse_own_store, run_demo
from whalefall_pipelines.demo.history import HISTORY_DAYS
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.terminal.output import format_bytes, json_option, note, print_json, print_table


@click.command()
@click.option("--stop", is_flag=True, help="Stop the demo's servers and the store; their data stays.")
@json_option
def demo(*, stop: bool, as_json: bool) -> None:
    """Make a fleet of real servers here, with a simulated past.

    It is collected today through Dagster. Safe to repeat; a home that watches servers of your own is left alone.
    """
    given = settings.load()
    refuse_own_store(given)
    if stop:
        stopped = demo_fleet(given).stop()
        if embedded.cluster(given).stop():
            stopped.append("the store")
        note(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
        return
    started = time.monotonic()
    with SessionProgress("making the demo") as progress:

        def say(sentence: str) -> None:
            progress.say(f"[{time.monotonic() - started:5.1f} s] {sentence}")

        say(f"starting the store in {given.home}")
        with open_store(given, may_make=True) as database:
            day = run_demo(given, database, say, progress.show)
    if as_json:
        gaps = [asdict(gap) for gap in day.gaps]
        print_json({"day": day.day, "session_id": day.session.session_id, "summary": asdict(day.summary), "missing": gaps})
    else:
        _print_day(day, time.monotonic() - started)


def _print_day(day: DemoDay, seconds: float) -> None:
    click.echo(
        f"\n{day.day}: {day.summary.databases} databases on {day.summary.instances} of {day.session.total_instances} servers, "
        f"{format_bytes(day.summary.total_bytes)} ({day.summary.total_bytes or 0:,} bytes)\n"
    )
    rows = [
        {
            "server": one.instance_name,
            "engine": one.engine,
            "databases": one.database_count,
            "bytes": one.total_bytes,
            "size": format_bytes(one.total_bytes),
            "since yesterday": format_bytes(one.change_bytes),
        }
        for one in day.instances
    ]
    print_table(list(rows[0]) if rows else [], rows, as_json=False, empty="Nothing was measured.")
    click.echo(f"\nMissing today: {day.summary.missing}, each with its reason")
    missing = [
        {"server": gap.instance_name, "database": gap.database_name or "(never listed)", "reason": gap.reason, "what to do": gap.detail}
        for gap in day.gaps
    ]
    print_table(list(missing[0]) if missing else [], missing, as_json=False, empty="")
    click.echo(
        f"\nThe {HISTORY_DAYS} days before today are SIMULATED (method = 'simulated'); today is measured on real servers.\n"
        f"Session {day.session.session_id}, Dagster run {day.session.run_id}, {seconds:.0f} s.\n\n"
        "Where to look next (in .venv/bin unless it is activated):\n"
        "  whalefall up                          the Dagster UI with this day, its checks and its history\n"
        f"  whalefall sessions show {str(day.session.session_id)[:8]}      every server of this run\n"
        "  whalefall instances test              what the login can see, and the exact GRANT that is missing\n"
        '  psql "$(whalefall store url)"         and then: table capacity_coverage\n'
        "  whalefall demo --stop                 stop the demo's servers and the store, which are still running"
    )
