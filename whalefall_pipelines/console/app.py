"""Serves the pages behind the gate: reads the address, reads the page, and answers with HTML or the CSV of one of its tables."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from whalefall_pipelines.api.actions import Asgi
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.problems import Problem, problem, problem_of_error
from whalefall_pipelines.api_base.services import Services, caller_of
from whalefall_pipelines.console.act import act
from whalefall_pipelines.console.arrange import to_csv
from whalefall_pipelines.console.blocks import Page, Picture, Table
from whalefall_pipelines.console.pages.access import access_page, account_page
from whalefall_pipelines.console.pages.alerts import alert_page, alerts_page
from whalefall_pipelines.console.pages.classes import classes_page, rule_page
from whalefall_pipelines.console.pages.database import database_page
from whalefall_pipelines.console.pages.explanation import explanation_page
from whalefall_pipelines.console.pages.fleet import DAYS as FLEET_DAYS
from whalefall_pipelines.console.pages.fleet import MOST_RANKED, RANKED, fleet_page
from whalefall_pipelines.console.pages.growth import DAYS as GROWTH_DAYS
from whalefall_pipelines.console.pages.growth import growth_page
from whalefall_pipelines.console.pages.history import DAYS as HISTORY_DAYS
from whalefall_pipelines.console.pages.instances import instances_page
from whalefall_pipelines.console.pages.missing import missing_page
from whalefall_pipelines.console.pages.partitions import partitions_page
from whalefall_pipelines.console.pages.report import report_page
from whalefall_pipelines.console.pages.runway import runway_page
from whalefall_pipelines.console.pages.server import server_page
from whalefall_pipelines.console.pages.sessions import session_page, sessions_page
from whalefall_pipelines.console.pages.settings import settings_page
from whalefall_pipelines.console.problems import problem_page
from whalefall_pipelines.console.query import Query, count, count_if_asked, day, needed, number, storable
from whalefall_pipelines.console.render import NOBODY, Surroundings, render_page
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.store.database import Database

_STATIC = Path(__file__).parent / "static"
_logger = logging.getLogger("whalefall.console")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages read and the forms ask: the services of the API, the API itself, and where the Dagster UI is, if it is known."""

    services: Services
    api: Asgi
    dagster_url: str | None = None

    @property
    def database(self) -> Database:
        """The store, to be read."""
        return self.services.reader

    def today(self) -> date:
        """The calendar day of the store."""
        return self.services.today()


Reading = Callable[[Console, Query], Page]


@dataclass(frozen=True, slots=True)
class Served:
    """How a page is read, and what it needs."""

    read: Reading
    scope: Scope = Scope.READ
    needs_access: bool = False


PAGES: Mapping[str, Served] = {
    "/": Served(
        lambda console, query: fleet_page(
            console.database, console.today(), count(query, "days", FLEET_DAYS, 92), count(query, "top", RANKED, MOST_RANKED)
        )
    ),
    "/server": Served(lambda console, query: server_page(console.database, console.today(), needed(query, "name"))),
    "/database": Served(
        lambda console, query: database_page(
            console.database, console.today(), needed(query, "server"), needed(query, "name"), count(query, "days", HISTORY_DAYS)
        )
    ),
    "/explain": Served(
        lambda console, query: explanation_page(
            console.database, needed(query, "server"), needed(query, "name"), day(query) or console.today(), console.dagster_url
        )
    ),
    "/growth": Served(
        lambda console, query: growth_page(
            console.database, console.today(), count(query, "days", GROWTH_DAYS), query.get("by", "database"), query.get("within", "")
        )
    ),
    "/runway": Served(lambda console, _: runway_page(console.database)),
    "/alerts": Served(lambda console, _: alerts_page(console.database, console.services.clock())),
    "/alert": Served(lambda console, query: alert_page(console.database, console.services.clock(), number(query, "id"))),
    "/report": Served(lambda console, query: report_page(console.database, console.today(), day(query))),
    "/missing": Served(lambda console, query: missing_page(console.database, console.today(), day(query))),
    "/sessions": Served(lambda console, query: sessions_page(console.database, query)),
    "/session": Served(lambda console, query: session_page(console.services, needed(query, "id"), console.dagster_url)),
    "/partitions": Served(lambda console, _: partitions_page(console.database, console.services.settings, console.today())),
    "/instances": Served(lambda console, query: instances_page(console.database, query.get("zone"))),
    "/settings": Served(lambda console, _: settings_page(console.services), Scope.ADMIN),
    "/access": Served(
        lambda console, query: access_page(console.database, console.today(), query, day(query)),
        needs_access=True,
    ),
    "/classes": Served(
        lambda console, query: classes_page(console.database, console.today(), day(query), query.get("class")), needs_access=True
    ),
    "/rule": Served(
        # A replay needs temporary tables, which readers may not make.
        lambda console, query: rule_page(
            console.services.writer,
            console.today(),
            needed(query, "name"),
            count_if_asked(query, "days"),
            query,
        ),
        needs_access=True,
    ),
    "/account": Served(
        lambda console, query: account_page(
            console.database, needed(query, "server"), needed(query, "name"), day(query) or console.today()
        ),
        needs_access=True,
    ),
}


def console_app(console: Console) -> Starlette:
    """The app of all pages. It trusts that the gate before it has let the request in."""
    routes = [Route(path, _endpoint(console, served)) for path, served in PAGES.items()]
    routes.append(Route("/do/{action}", _acting(console), methods=["POST"]))
    handlers = {404: _no_page(console), 405: _no_page(console), Exception: _broken_page(console)}
    return Starlette(routes=[*routes, Mount("/static", StaticFiles(directory=_STATIC))], exception_handlers=handlers)


def problem_answer(console: Console, answer: Problem, scope: Mapping[str, Any]) -> Response:
    """A problem as a page, for a request that the gate or a page did not fulfil."""
    request = Request(dict(scope))
    address = _surroundings(console, request).address if request.method == "GET" else None
    response = _answer(console, request, problem_page(answer, address), answer.status)
    response.headers.update(answer.headers)
    return response


def _endpoint(console: Console, served: Served) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        query = dict(request.query_params)
        if not caller_of(request).may(served.scope, needs_access=served.needs_access):
            needed = "a token that may read accounts (--access)" if served.needs_access else f"the scope {served.scope}"
            refused = problem(403, "PERMISSION_DENIED", f"This page needs {needed}.", request.url.path)
            return problem_answer(console, refused, request.scope)
        try:
            page = served.read(console, storable(query))
        except WhalefallError as error:
            return problem_answer(console, problem_of_error(error, request.url.path), request.scope)
        if "csv" in query:
            return _csv(console, request, page, query)
        return _answer(console, request, page)

    return answer


def _acting(console: Console) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            page, status = await act(console.api, request)
        except WhalefallError as error:
            return problem_answer(console, problem_of_error(error, request.url.path), request.scope)
        return _answer(console, request, page, status)

    return answer


def _no_page(console: Console) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _: Exception) -> Response:
        return _answer(console, request, Page("This page does not exist.", "The list above has all pages.", []), 404)

    return answer


def _broken_page(console: Console) -> Callable[[Request, Exception], Response]:
    """What nobody foresaw. The web server logs the exception after this answer."""

    def answer(request: Request, _: Exception) -> Response:
        failed = problem(500, "INTERNAL_ERROR", "The page could not be made. This is a defect of whalefall.", request.url.path)
        _logger.error("%s %s failed", failed.error_id, request.url.path)
        return problem_answer(console, failed, request.scope)

    return answer


def _surroundings(console: Console, request: Request) -> Surroundings:
    caller = request.scope.get("whalefall.caller", NOBODY)
    return Surroundings(request.url.path, dict(request.query_params), console.database.timezone.key, caller, console.dagster_url)


def _answer(console: Console, request: Request, page: Page, status: int = 200) -> Response:
    return HTMLResponse(render_page(page, _surroundings(console, request)), status, _HEADERS)


def _csv(console: Console, request: Request, page: Page, query: Query) -> Response:
    tables = [block if isinstance(block, Table) else block.table for block in page.blocks if isinstance(block, Table | Picture)]
    table = next((table for table in tables if table is not None and table.key == query["csv"]), None)
    if table is None:
        return _answer(
            console, request, Page("This table does not exist.", "The page links to the CSV file of each of its tables.", []), 404
        )
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{table.key}.csv"'}
    return Response(to_csv(table, query), 200, headers, "text/csv; charset=utf-8")
