"""`whalefall audit`: who changed what."""

import click

from whalefall_pipelines.api import audit as verbs
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, list_options, print_table

_COLUMNS = ("requested_at", "caller", "method", "path", "status", "session_id", "request_id")


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Maximum number of requests.")
@list_options
def audit(*, limit: int, form: Form) -> None:
    """Show who changed what: through the API, in the console, in the Dagster UI, and with commands.

    The newest change is first. Refused requests are listed as well. A request without a status is running or was interrupted.
    """
    with open_store(load_settings()) as database:
        after = {"requested_at": None, "request_id": None}
        requests = verbs.list_requests(database, after, {"skipped": 0, "most": limit})
    rows = [{column: getattr(request, column) for column in _COLUMNS} for request in requests]
    print_table(_COLUMNS, rows, form=form, empty="Nothing has been changed yet.", droppable=("request_id", "session_id"))
