"""The routes of the API itself: health, the caller, tokens, audit, and the description of all routes."""

from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from whalefall_pipelines.api import audit, tokens
from whalefall_pipelines.api.docs_page import render
from whalefall_pipelines.api.metrics import Scrapes
from whalefall_pipelines.api.model import AuditedRequest, MadeToken, Token
from whalefall_pipelines.api_base.answers import encode
from whalefall_pipelines.api_base.callers import Caller, Scope
from whalefall_pipelines.api_base.filters import TEXT, read_tag
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import CallerOf, ServicesOf
from whalefall_pipelines.domain.metrics import MEDIA_TYPE
from whalefall_pipelines.errors import StoreError

ROUTES = Routes("installation")
TokenId = Annotated[int, Path(ge=1, le=2**31 - 1, description="The token.")]


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the installation in one word."""

    status: str


@dataclass(frozen=True, slots=True)
class Installation:
    """This installation: the version of its program, and the time zone of its days."""

    version: str
    timezone: str
    today: date


class TokenRequest(BaseModel):
    """A token to create. Without `lifetime_days` it never expires."""

    name: str = Field(min_length=1, max_length=100)
    scope: Scope = Scope.READ
    has_access: bool = False
    lifetime_days: int | None = Field(default=None, ge=1, le=3650)


@ROUTES.get("/healthz", scope=None)
def healthz() -> Health:
    """Report that the process is alive."""
    return Health("alive")


@ROUTES.get("/readyz", scope=None)
def readyz(services: ServicesOf) -> Health:
    """Report whether the store answers with the schema of this program, and whether Dagster's daemon works."""
    try:
        reasons = services.find_obstacles()
    except StoreError:
        reasons = ("the store does not answer",)
    if reasons:
        raise Refusal(503, "NOT_READY", "Not ready: " + "; ".join(reasons) + ".", headers={"Retry-After": "5"})
    return Health("ready")


@ROUTES.get("/me")
def read_me(caller: CallerOf) -> Caller:
    """Show the caller and its scope."""
    return caller


@ROUTES.get("/installation")
def read_installation(services: ServicesOf) -> Installation:
    """Show the version of the program, and which day it is in the time zone of the store."""
    return Installation(version("whalefall-pipelines"), services.reader.timezone.key, services.today())


@ROUTES.get("/tokens", scope=Scope.ADMIN)
def list_tokens(services: ServicesOf) -> tuple[Token, ...]:
    """List all tokens and signed-in browsers, without their secrets."""
    return tokens.list_tokens(services.writer, services.clock())


@ROUTES.post("/tokens", Scope.ADMIN, status=201)
def create_token(services: ServicesOf, caller: CallerOf, body: TokenRequest) -> MadeToken:
    """Create a token. Only this answer contains its secret."""
    if body.has_access and not caller.has_access:
        raise Refusal(403, "PERMISSION_DENIED", "Only a caller with access to accounts can create a token with that access.")
    lifetime = None if body.lifetime_days is None else timedelta(days=body.lifetime_days)
    return tokens.create_token(
        services.writer,
        body.name,
        body.scope,
        now=services.clock(),
        created_by=caller.name,
        has_access=body.has_access,
        lifetime=lifetime,
    )


@ROUTES.delete("/tokens/{token_id}", Scope.ADMIN)
def revoke_token(services: ServicesOf, token_id: TokenId) -> Token:
    """Revoke a token, and sign out the browsers that signed in with it."""
    return tokens.revoke_token(services.writer, token_id, services.clock())


@ROUTES.get("/audit", scope=Scope.ADMIN)
def list_audit(services: ServicesOf, paging: PagingOf) -> Page[AuditedRequest]:
    """List the requests that changed something, or tried to, newest first."""
    after = paging.after_values("requested_at", "request_id")
    rows = audit.list_requests(services.writer, after, paging.parameters)
    return paging.page_of(rows, "requested_at", "request_id")


@ROUTES.get("/metrics", media_types=["text/plain"])
def read_metrics(
    request: Request,
    services: ServicesOf,
    databases: Annotated[str | None, Query(pattern="^top$", description="`top` adds the sizes of the 1,000 largest databases.")] = None,
    tag: Annotated[str | None, Query(max_length=500, pattern=TEXT, description="Adds the databases on servers with this tag.")] = None,
) -> Response:
    """Show metrics for Prometheus, of at most a minute ago."""
    scrapes: Scrapes = request.app.state.scrapes
    return Response(scrapes.scrape(services, with_databases=databases is not None, tag=read_tag(tag)), media_type=MEDIA_TYPE)


@ROUTES.get("/openapi.json", media_types=["application/json"])
def read_openapi(request: Request) -> Response:
    """Describe all routes as an OpenAPI document."""
    return Response(encode(request.app.openapi()), media_type="application/json")


@ROUTES.get("/docs", media_types=["text/html"])
def read_docs(request: Request) -> Response:
    """Describe all routes as a page that loads nothing from elsewhere."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(render(request.app.openapi()), media_type="text/html", headers=headers)
