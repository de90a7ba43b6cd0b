"""Makes HTML of pages. Every text is escaped; pictures are our own SVG, which escapes its texts itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlencode
from uuid import uuid4

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from whalefall_pipelines.api_base.callers import Caller, Scope
from whalefall_pipelines.console.arrange import arrange
from whalefall_pipelines.console.blocks import Block, Page
from whalefall_pipelines.domain.quantities import counted

# The pages that every page links to: address and name.
NAVIGATION: Sequence[tuple[str, str]] = (
    ("/", "Fleet"),
    ("/growth", "Growth"),
    ("/runway", "Runway"),
    ("/alerts", "Alerts"),
    ("/missing", "Missing"),
    ("/sessions", "Sessions"),
    ("/partitions", "Partitions"),
    ("/access", "Access"),
    ("/instances", "Servers"),
    ("/settings", "Settings"),
)


# Who reads a page that says that they are not signed in.
NOBODY = Caller("nobody", Scope.READ)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a page: where it is, the query of its tables, the time zone of its times, who reads it, and where Dagster is.

    `key` makes a form that is sent twice act once.
    """

    path: str
    query: Mapping[str, str]
    timezone: str
    caller: Caller = NOBODY
    dagster_url: str | None = "/dagster"
    key: str = field(default_factory=lambda: uuid4().hex)

    @property
    def is_signed_in(self) -> bool:
        """Whether somebody reads it who can sign out."""
        return self.caller is not NOBODY

    @property
    def address(self) -> str:
        """The page itself."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def render_page(page: Page, surroundings: Surroundings) -> str:
    """The HTML of a page. It works without JavaScript."""
    return _environment().get_template("page.html").render(page=page, surroundings=surroundings, navigation=NAVIGATION)


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("whalefall_pipelines.console"), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals["arrange"] = arrange  # pyright: ignore[reportArgumentType] - Jinja2 knows only its own globals
    environment.globals["counted"] = counted  # pyright: ignore[reportArgumentType]
    environment.filters["drawing"] = Markup
    environment.filters["macro"] = _macro
    return environment


def _macro(block: Block) -> str:
    """The name of the macro in `blocks.html` that draws a block: that of its class."""
    return type(block).__name__.lower()
