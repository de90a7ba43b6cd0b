"""Where a command asks: the store of this installation, or with `whalefall --server URL` the API of another one."""

import ipaddress
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from inspect import signature
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, get_origin, get_type_hints
from urllib.parse import urlsplit

import click
from pydantic import TypeAdapter

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import describe

if TYPE_CHECKING:
    from whalefall_pipelines.client import Client

Answer = TypeVar("Answer")
# Of one page.
_MOST_ROWS = 200
_TOKEN = re.compile(r"wf_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Question(Generic[Answer]):
    """What a command asks: a verb over the store, and the route of the API that answers the same.

    The parameters of the verb, but the store, today and the settings, are parameters of the route. A verb that returns a tuple is
    answered by a list with cursors, whose `limit` is the number of its rows.
    """

    verb: Callable[..., Answer]
    path: str


@dataclass(frozen=True, slots=True)
class Server:
    """The web process of another installation, and a token for it."""

    url: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what would send the token in the clear, or what is none.

        Raises:
            InputError: the address or the token cannot be used.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise InputError("--server has no address that can be used; write one like https://whalefall.example.")
        if parts.scheme == "http" and not _is_here(parts.hostname):
            raise InputError(f"--server would send the token to {parts.hostname} without encryption: use https.")
        if not _TOKEN.fullmatch(self.token):
            raise InputError("There is no token for the server: set WHALEFALL_TOKEN, or name a file with --token-file.")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Asking(click.Command):
    """A command that asks through `open_source`, so that a server elsewhere can answer it."""


class Source(Protocol):
    """Who answers the questions of a command."""

    @property
    def place(self) -> str:
        """Where it is, for messages: another folder may belong to another, empty installation."""
        ...

    def today(self) -> date:
        """The calendar day of the store."""
        ...

    def ask(self, question: Question[Answer], **parameters: Any) -> Answer:
        """The answer."""
        ...


@contextmanager
def open_source() -> Generator[Source]:
    """The store of this installation, or the server that `--server` names."""
    server = click.get_current_context().find_root().obj
    if isinstance(server, Server):
        from whalefall_pipelines.client import Client  # noqa: PLC0415 - it takes 0.1 s, and commands of this machine need no client

        with Client(server.url, server.token) as client:
            yield _Remote(client, server.url)
    else:
        settings = load_settings()
        with open_store(settings) as database:
            yield _Local(database, settings, describe(database.url) if settings.database_url else str(settings.home))


@dataclass(frozen=True, slots=True)
class _Local:
    database: Database
    settings: Settings
    place: str

    def today(self) -> date:
        return today(system_clock(), self.database.timezone)

    def ask(self, question: Question[Answer], **parameters: Any) -> Answer:
        here = {"today": self.today(), "settings": self.settings}
        wanted = {name: value for name, value in here.items() if name in signature(question.verb).parameters}
        return question.verb(self.database, **wanted, **parameters)


@dataclass(frozen=True, slots=True)
class _Remote:
    client: "Client"
    place: str

    def today(self) -> date:
        return date.fromisoformat(self.client.get("/installation")["today"])

    def ask(self, question: Question[Answer], **parameters: Any) -> Answer:
        kind = get_type_hints(question.verb)["return"]
        query = {name: _text(value) for name, value in parameters.items()}
        return TypeAdapter(kind).validate_python(self._read(question.path, query, is_list=get_origin(kind) is tuple))

    def _read(self, path: str, query: Mapping[str, Any], *, is_list: bool) -> Any:
        if not is_list:
            return self.client.get(path, **query)
        most = query.get("limit")
        rows = self.client.rows(path, **{**query, "limit": min(most or _MOST_ROWS, _MOST_ROWS)})
        return list(islice(rows, most))


def _text(value: object) -> object:
    if isinstance(value, timedelta):
        return f"{value.days}d"
    return value.isoformat() if isinstance(value, date) else value
