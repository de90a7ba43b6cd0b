"""`whalefall doctor`: the whole installation at a glance, and the one next thing to do for each problem."""

import click

from whalefall_pipelines import settings
from whalefall_pipelines.doctor.examine import Installation, is_reached
from whalefall_pipelines.doctor.rules import Finding, Severity
from whalefall_pipelines.terminal.output import FAILURE, PARTIAL, cell, error_console, json_option, leave, print_json

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.PROBLEM: "red"}


@click.command()
@click.option("--instances/--no-instances", "with_instances", default=True, help="Whether every active server is visited, too.")
@json_option
def doctor(*, with_instances: bool, as_json: bool) -> None:
    """Tell what keeps this installation from working.

    Under each problem stands what to do next. Nothing is changed.

    Exit codes: 0 no problem, 1 some, 2 the store cannot be reached.
    """
    found: list[Finding] = []
    with error_console().status("Looking at the store …") as shown:

        def show(done: int, total: int) -> None:
            shown.update(f"{done} of {total} servers have answered …")

        for finding in Installation(settings.load(), with_instances=with_instances, on_progress=show).examine():
            found.append(finding)
            if not as_json:
                shown.stop()  # a line of standard output would begin behind it
                _print(finding)
                shown.start()
    if as_json:
        print_json([{"check": one.check, "severity": one.severity, "found": one.sentence, "next_step": one.next_step} for one in found])
    if not is_reached(found):
        leave(FAILURE)
    if any(one.severity is Severity.PROBLEM for one in found):
        leave(PARTIAL)


def _print(finding: Finding) -> None:
    word = click.style(f"{finding.severity:<8}", fg=_STYLES[finding.severity])
    click.echo(f"{word} {finding.check:<17} {cell(finding.sentence)}")
    if finding.next_step:
        click.echo(f"{'':<26} → {cell(finding.next_step)}")
