"""Serves the pages behind the gate: reads the address, reads the page, and answers with HTML or the CSV of one of its tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from whalefall_pipelines.clock import Clock
from whalefall_pipelines.console.arrange import to_csv
from whalefall_pipelines.console.blocks import Page, Picture, Table
from whalefall_pipelines.console.pages.access import access_page, account_page
from whalefall_pipelines.console.pages.database import database_page
from whalefall_pipelines.console.pages.fleet import fleet_page
from whalefall_pipelines.console.pages.growth import DAYS as GROWTH_DAYS
from whalefall_pipelines.console.pages.growth import growth_page
from whalefall_pipelines.console.pages.instances import instances_page
from whalefall_pipelines.console.pages.missing import missing_page
from whalefall_pipelines.console.pages.partitions import partitions_page
from whalefall_pipelines.console.pages.runway import runway_page
from whalefall_pipelines.console.pages.server import server_page
from whalefall_pipelines.console.pages.sessions import session_page, sessions_page
from whalefall_pipelines.console.render import Surroundings, render_page
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.errors import InputError, NotFoundError, StoreError
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database

Query = Mapping[str, str]
_MOST_DAYS = 3660
_STATIC = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages read: the store, the settings, the clock; who may read accounts; where the Dagster UI is, if it is served."""

    database: Database
    settings: Settings
    clock: Clock
    may_read_accounts: Callable[[Request], bool]
    dagster_url: str | None = None

    def today(self) -> date:
        """The calendar day of the store."""
        return today(self.clock(), self.database.timezone)


Reading = Callable[[Console, Query], Page]

PAGES: Mapping[str, Reading] = {
    "/": lambda console, _: fleet_page(console.database, console.today()),
    "/server": lambda console, query: server_page(console.database, console.today(), _needed(query, "name")),
    "/database": lambda console, query: database_page(console.database, console.today(), _needed(query, "server"), _needed(query, "name")),
    "/growth": lambda console, query: growth_page(
        console.database, console.today(), _count(query, "days", GROWTH_DAYS), query.get("by", "database")
    ),
    "/runway": lambda console, _: runway_page(console.database),
    "/missing": lambda console, query: missing_page(console.database, console.today(), _day(query)),
    "/sessions": lambda console, _: sessions_page(console.database),
    "/session": lambda console, query: session_page(console.database, _needed(query, "id"), console.dagster_url),
    "/partitions": lambda console, _: partitions_page(console.database, console.settings, console.today()),
    "/instances": lambda console, _: instances_page(console.database),
}
ACCOUNT_PAGES: Mapping[str, Reading] = {
    "/access": lambda console, query: access_page(
        console.database, console.today(), query.get("privilege"), query.get("object"), _day(query)
    ),
    "/account": lambda console, query: account_page(
        console.database, _needed(query, "server"), _needed(query, "name"), _day(query) or console.today()
    ),
}


def console_app(console: Console) -> Starlette:
    """The app of all pages. It trusts that the gate before it has let the request in."""
    routes = [Route(path, _endpoint(console, reading)) for path, reading in PAGES.items()]
    routes += [Route(path, _endpoint(console, reading, needs_access=True)) for path, reading in ACCOUNT_PAGES.items()]
    handlers = {404: _handler(console)}
    return Starlette(routes=[*routes, Mount("/static", StaticFiles(directory=_STATIC))], exception_handlers=handlers)


def _endpoint(console: Console, reading: Reading, *, needs_access: bool = False) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        query = dict(request.query_params)
        if needs_access and not console.may_read_accounts(request):
            return _answer(console, request, _refused("Your sign-in may not read accounts.", "A token with --access may."), 403)
        try:
            page = reading(console, query)
        except NotFoundError as error:
            return _answer(console, request, _refused("There is no such thing.", str(error)), 404)
        except InputError as error:
            return _answer(console, request, _refused("This cannot be answered.", str(error)), 400)
        except StoreError as error:
            return _answer(console, request, _refused("The store does not answer.", str(error)), 503)
        if "csv" in query:
            return _csv(console, request, page, query)
        return _answer(console, request, page)

    return answer


def _handler(console: Console) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _answer(console, request, _refused("There is no such page.", "The pages are in the list above."), status)

    return answer


def _refused(sentence: str, next_step: str) -> Page:
    return Page(sentence, next_step, [])


def _answer(console: Console, request: Request, page: Page, status: int = 200) -> Response:
    surroundings = Surroundings(request.url.path, dict(request.query_params), console.database.timezone.key, console.dagster_url)
    return HTMLResponse(render_page(page, surroundings), status, _HEADERS)


def _csv(console: Console, request: Request, page: Page, query: Query) -> Response:
    tables = [block if isinstance(block, Table) else block.table for block in page.blocks if isinstance(block, Table | Picture)]
    table = next((table for table in tables if table is not None and table.key == query["csv"]), None)
    if table is None:
        return _answer(console, request, _refused("There is no such table.", "The page has a link to the CSV of each of its tables."), 404)
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{table.key}.csv"'}
    return Response(to_csv(table, query), 200, headers, "text/csv; charset=utf-8")


def _needed(query: Query, name: str) -> str:
    if name not in query:
        raise InputError(f"{name}=… is missing in the address.")
    return query[name]


def _count(query: Query, name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_DAYS):
        raise InputError(f"{name}={text!r} is not a number from 1 to {_MOST_DAYS}.")
    return int(text)


def _day(query: Query) -> date | None:
    text = query.get("day")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a day like 2026-11-29.") from error
