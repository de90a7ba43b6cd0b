"""`whalefall-web`: the web process as a service, with Dagster's UI or without. `whalefall up` starts the same."""

import logging
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from whalefall_pipelines.api.settings import ApiSettings
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.gate.proxy_settings import proxy_of, rates_of
from whalefall_pipelines.gate.serve import Listen, build, launcher_for, open_services, refuse_open, serve
from whalefall_pipelines.settings import Settings, load_settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port to listen on.")
@click.option("--socket", type=click.Path(path_type=Path), help="Unix socket to listen on instead, for a proxy on this machine.")
@click.option("--certificate", type=_FILE, help="Certificate for TLS.")
@click.option("--key", type=_FILE, help="Its key.")
@click.option("--workspace", type=_FILE, help="Dagster workspace file. Dagster's UI is served under /dagster, and runs are launched there.")
@click.option("--dagster-url", help="GraphQL URL of a Dagster web server elsewhere, on which runs are launched.")
def main(
    host: str,
    port: int,
    socket: Path | None,
    certificate: Path | None,
    key: Path | None,
    workspace: Path | None,
    dagster_url: str | None,
) -> None:
    """Serve the API, and with --workspace the Dagster UI, behind one sign-in.

    Exit codes: 0 it was stopped, 2 it did not start.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    try:
        if (certificate is None) != (key is None):
            raise click.UsageError("--certificate and --key must be used together.")
        _serve(load_settings(), Listen(host, port, socket, certificate, key), workspace, dagster_url)
    except WhalefallError as error:
        click.echo(f"whalefall-web: {error}", err=True)
        raise SystemExit(2) from None


def _serve(settings: Settings, listen: Listen, workspace: Path | None, dagster_url: str | None) -> None:
    proxy = proxy_of(settings)
    refuse_open(listen, proxy)
    with ExitStack() as stack:
        app, ask = None, None
        if workspace or dagster_url:
            from whalefall_pipelines.gate import dagster_ui  # noqa: PLC0415 - the API alone does not import Dagster

            app = stack.enter_context(dagster_ui.dagster_app(workspace)) if workspace else None
            ask = dagster_ui.asking(app) if app else dagster_ui.asking_at(str(dagster_url))
        services = stack.enter_context(
            open_services(settings, launcher_for(ask), settings.of(ApiSettings).api_reader_url, with_dagster=ask is not None)
        )
        if app:
            from whalefall_pipelines.gate.dagster_audit import AuditedDagster  # noqa: PLC0415

            app = AuditedDagster(app, services)
        serve(build(services, dagster=app, proxy=proxy, rates=rates_of(settings)), listen)


if __name__ == "__main__":
    main()
