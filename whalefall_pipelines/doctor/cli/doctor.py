"""`whalefall doctor`: checks the whole installation, and shows the next step for each problem."""

from dataclasses import astuple

import click

from whalefall_pipelines.doctor.examine import examine, is_reached
from whalefall_pipelines.doctor.examined import Installation
from whalefall_pipelines.doctor.outcome import Outcome, Severity
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import FAILURE, PARTIAL, cell, json_option, leave, print_json
from whalefall_pipelines.terminal.progress import error_console

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.PROBLEM: "red"}


@click.command()
@click.option("--instances/--no-instances", "with_instances", default=True, help="Also test every active server.")
@click.option("--quiet", is_flag=True, help="Print problems only: nothing if all is fine, so that cron sends no mail.")
@json_option
def doctor(*, with_instances: bool, quiet: bool, as_json: bool) -> None:
    """Check this installation for problems.

    Each problem is followed by the next step. Nothing is changed.

    Exit codes: 0 no problems, 1 some problems, 2 the store cannot be reached.
    """
    outcomes: list[Outcome] = []
    with error_console().status("Checking the store …") as shown:

        def show(done: int, total: int) -> None:
            servers = counted(total, "server")
            shown.update(f"{counted(done, f'of {servers} has', f'of {servers} have')} answered …")

        for outcome in examine(Installation(load_settings(), with_instances=with_instances, on_progress=show)):
            outcomes.append(outcome)
            if not as_json and not (quiet and outcome.severity is not Severity.PROBLEM):
                shown.stop()  # otherwise it would share a line with standard output
                _print(outcome)
                shown.start()
    if as_json:
        keys = ("check", "severity", "found", "next_step")
        print_json([dict(zip(keys, astuple(outcome), strict=True)) for outcome in outcomes])
    if not is_reached(outcomes):
        leave(FAILURE)
    if any(outcome.severity is Severity.PROBLEM for outcome in outcomes):
        leave(PARTIAL)


def _print(outcome: Outcome) -> None:
    word = click.style(f"{outcome.severity:<8}", fg=_STYLES[outcome.severity])
    click.echo(f"{word} {outcome.check:<17} {cell(outcome.sentence)}")
    if outcome.next_step:
        click.echo(f"{'':<26} → {cell(outcome.next_step)}")
