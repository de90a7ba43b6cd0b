"""`whalefall simulate`: a fleet of any size with its history, in a home of its own."""

import os
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.simulator.model import Simulation, parse_faults
from whalefall_pipelines.simulator.simulate import simulate as simulate_fleet
from whalefall_pipelines.terminal.output import json_option, note, print_json
from whalefall_pipelines.terminal.progress import error_console


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=Path("simulated"), show_default=True, help="The home to fill.")
@click.option("--servers", type=click.IntRange(1, 99_999), default=100, show_default=True, help="How many servers.")
@click.option("--databases", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many databases on each.")
@click.option("--days", type=click.IntRange(10, 1_000), default=120, show_default=True, help="How many days, up to the last one.")
@click.option(
    "--faults", default="", help="Shares of what goes wrong: NAME=SHARE,… of dead, hanging, away, missed, dropped, forbidden; or none."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="The same seed makes the same fleet.")
@click.option("--last-day", type=click.DateTime(["%Y-%m-%d"]), help="The last day; today by default.")
@click.option("--latency", type=click.IntRange(0, 60_000), default=20, show_default=True, help="Mean duration of a probe, in milliseconds.")
@json_option
def simulate(
    *, home: Path, servers: int, databases: int, days: int, faults: str, seed: int, last_day: datetime | None, latency: int, as_json: bool
) -> None:
    """Fill a home of its own with a simulated fleet and its history.

    Sizes, faults, accounts and names are generated from the seed, with growth patterns of real databases. The history is marked as
    simulated. The last day is collected from fake servers by the real collectors. A home with servers is refused.
    """
    shares = parse_faults(faults)
    settings = load_settings(os.environ | {"WHALEFALL_HOME": str(home.absolute())})
    started = time.monotonic()

    def say(sentence: str) -> None:
        with suppress(OSError):  # the terminal may have been closed, as in `note`
            error_console().print(f"[{time.monotonic() - started:6.1f} s] {sentence}", markup=False, soft_wrap=True)

    say(f"opening the store in {settings.home}")
    with open_store(settings, may_make=True) as database:
        day = last_day.date() if last_day else today(system_clock(), database.timezone)
        simulation = Simulation(servers, databases, days, day, seed, shares, latency / 1000)
        simulated = simulate_fleet(settings, database, simulation, say)
    if as_json:
        print_json(asdict(simulated) | {"home": settings.home})
        return
    rate = simulated.servers / max(simulated.collecting_seconds, 0.001)
    click.echo(
        f"{counted(simulated.servers, 'SIMULATED server')}: {counted(simulated.days_written, 'size')} and "
        f"{counted(simulated.gaps_written, 'gap')} in {days - 1} days, then {day} collected from fake servers in "
        f"{simulated.collecting_seconds:.1f} s ({rate:.0f} servers/s, {simulated.failed} failed)."
    )
    note(f"Look at it with WHALEFALL_HOME={settings.home}: `whalefall up` computes its periods and shows it.")
