"""`whalefall instances test`: a connection test of registered servers, with advice for each problem."""

from collections import defaultdict
from collections.abc import Sequence

import click

from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import TargetError
from whalefall_pipelines.fleet.probe import Privilege
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.inventory.cli.selection import selection_options
from whalefall_pipelines.inventory.connection_test import ConnectionTest, server_tester
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances
from whalefall_pipelines.inventory.replace_key import refuse_other_key
from whalefall_pipelines.inventory.selection import Selection
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import FAILURE, PARTIAL, cell, json_option, leave, note, print_json, print_table
from whalefall_pipelines.terminal.progress import error_console

_COLUMNS = (
    *("name", "address", "version", "identity", "started", "driver", "connect_seconds", "round_trip_seconds"),
    *("visible", "measurable", "hidden", "result"),
)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_instance)
@selection_options
@json_option
def test(*, names: Sequence[str], selection: Selection, as_json: bool) -> None:
    """Test the connections to servers. Each test lists and measures the databases of a server, compares its identity with the
    registered one, and stores only its version and identity. Without a NAME, every active server is tested. The command prints the
    privileges that each engine requires, and the missing ones.

    Exit codes: 0 every server is fine, 1 some have a problem, 2 none can be reached.
    """
    settings = load_settings()
    with open_store(settings) as database:
        tester = server_tester(settings, database)
        if names:
            instances = [registered.instance for registered in registered_instances(database, names, selection)]
        else:
            instances = active_instances(database, selection=selection)
        refuse_other_key(settings, database)
        with error_console().status(f"Testing {counted(len(instances), 'server')} …"):
            tests = tester.test_all(instances)
    if as_json:
        print_json([_document(tested) for tested in tests])
    else:
        print_table(
            _COLUMNS,
            [_row(tested) for tested in tests],
            empty="No instance is active, so there is nothing to test.",
            droppable=("driver", "round_trip_seconds", "connect_seconds", "started", "identity", "version", "hidden", "address"),
        )
        for sentence in (*_least_privileges(tests), *_missing_privileges(tests), *_advice(tests)):
            click.echo(sentence)
    if tests and not any(tested.is_reached for tested in tests):
        leave(FAILURE)
    if not all(tested.is_fine for tested in tests):
        whole = counted(len(tests), "instance")
        problems = sum(not tested.is_fine for tested in tests)
        note(f"{counted(problems, f'of {whole} has a problem', f'of {whole} have a problem')}.")
        leave(PARTIAL)


def _row(tested: ConnectionTest) -> dict[str, object]:
    return {
        "name": tested.instance.name,
        "address": tested.instance.address,
        "version": tested.server_version,
        "identity": tested.identity.name if tested.identity else None,
        "started": tested.identity.started_at if tested.identity else None,
        "driver": tested.driver,
        "connect_seconds": _rounded(tested.connect_seconds),
        "round_trip_seconds": _rounded(tested.round_trip_seconds),
        "visible": tested.visible,
        "measurable": tested.measurable,
        "hidden": tested.hidden,
        "result": _reason(tested) or ("fine" if tested.is_fine else "sizes missing"),
    }


def _document(tested: ConnectionTest) -> dict[str, object]:
    return {
        **_row(tested),
        "total_bytes": tested.total_bytes,
        "error": str(tested.error) if tested.error else None,
        "rights": [
            {"purpose": privilege.purpose, "statement": privilege.statement, "held": privilege.is_held, "optional": privilege.is_optional}
            for privilege in tested.privileges
        ],
        "missing": [{"database": gap.database_name, "reason": gap.reason, "detail": gap.detail} for gap in tested.missing],
    }


def _least_privileges(tests: Sequence[ConnectionTest]) -> list[str]:
    """The privileges that a login needs on each engine that was reached, and how many servers grant them."""
    privileges: defaultdict[tuple[str, str], list[Privilege]] = defaultdict(list)
    for tested in tests:
        for privilege in tested.privileges:
            privileges[tested.instance.engine, privilege.purpose].append(privilege)
    return [
        f"{engine}, to {purpose}{' (optional)' if group[0].is_optional else ''}: {cell(group[0].statement)} "
        f"Held on {sum(privilege.is_held for privilege in group)} of {counted(len(group), 'server')}."
        for (engine, purpose), group in sorted(privileges.items())
    ]


def _missing_privileges(tests: Sequence[ConnectionTest]) -> list[str]:
    return [
        f"{cell(tested.instance.name)} is missing the privilege to {cell(privilege.purpose)}"
        f"{' (optional)' if privilege.is_optional else ''}: {cell(privilege.statement)}"
        for tested in tests
        for privilege in tested.privileges
        if not privilege.is_held
    ]


def _advice(tests: Sequence[ConnectionTest]) -> list[str]:
    errors = [f"{cell(tested.instance.name)}: {cell(tested.error)}" for tested in tests if tested.error]
    return errors + [_cure(tested, cell(gap.database_name), gap.reason, cell(gap.detail)) for tested in tests for gap in tested.missing]


def _cure(tested: ConnectionTest, database: str, reason: Reason, detail: str) -> str:
    where = f"{cell(tested.instance.name)}: {database}"
    return (
        f"{where} cannot be measured; run on that server: {detail}"
        if reason is Reason.NO_PERMISSION
        else f"{where} cannot be measured: {detail}"
    )


def _reason(tested: ConnectionTest) -> str | None:
    return tested.error.reason if isinstance(tested.error, TargetError) else tested.error.code if tested.error else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
