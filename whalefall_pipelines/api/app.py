"""The app of the API: the routes of every area, and the conversion of errors to problems. Who calls is decided by `gate/` before."""

import logging
import re
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from whalefall_pipelines.api.metrics import Scrapes
from whalefall_pipelines.api_base.answers import Known
from whalefall_pipelines.api_base.problems import MEDIA_TYPE, Problem, Refusal, problem, problem_body, problem_of_error, problem_of_refusal
from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.areas import areas
from whalefall_pipelines.errors import WhalefallError

PREFIX = "/api/v1"
VERSION = "1"
_logger = logging.getLogger("whalefall.api")
_PYTHON_NULL = re.compile(r"NoneType|\bNone\b")
_CODES = {404: "RESOURCE_NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 406: "NOT_ACCEPTABLE"}


def create_app(services: Services | None = None) -> FastAPI:
    """The app with the routes of every area. Without services it can only be described."""
    app = FastAPI(title="whalefall", version=VERSION, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.services = services
    app.state.known, app.state.scrapes = Known(), Scrapes()
    for area in areas():
        if area.has_router:
            app.include_router(area.load("api").ROUTES.router, prefix=PREFIX)
    app.add_exception_handler(WhalefallError, _on_error)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_defect)
    app.openapi = lambda: describe(app)
    return app


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document.

    FastAPI names the wrong media type and the wrong body of problems, and docstrings say None where JSON has null: all are corrected.
    """
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes, summary="One honest size for every database.")
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "wf_…"}}
        for operations in document["paths"].values():
            for operation in operations.values():
                _correct(operation["responses"])
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        document["components"]["schemas"]["Problem"]["properties"].pop("headers", None)
        corrected: dict[str, Any] = _in_json(document)
        app.openapi_schema = corrected
    return app.openapi_schema


def _in_json(part: Any) -> Any:
    """A part of the document, with null where it has None."""
    if isinstance(part, dict):
        return {_in_json(name): _in_json(content) for name, content in cast("dict[str, Any]", part).items()}
    if isinstance(part, list):
        return [_in_json(content) for content in cast("list[Any]", part)]
    return _PYTHON_NULL.sub("null", part) if isinstance(part, str) else part


def _correct(responses: dict[str, Any]) -> None:
    for status, response in list(responses.items()):
        content = response.get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if schema.get("$ref", "").endswith("HTTPValidationError"):
            del responses[status]
        elif status.isdigit() and int(status) >= 400 and "application/json" in content:
            content[MEDIA_TYPE] = content.pop("application/json")
        elif status == "304":
            response.pop("content", None)


def problem_response(answer: Problem) -> Response:
    """The answer with a problem."""
    return Response(problem_body(answer), answer.status, dict(answer.headers), MEDIA_TYPE)


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WhalefallError)  # noqa: S101 - it is registered for this class
    return problem_response(problem_of_error(error, request.url.path))


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101
    return problem_response(problem_of_refusal(error, request.url.path))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    details = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
    return problem_response(problem(400, "VALIDATION_ERROR", "; ".join(details), request.url.path))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = _CODES.get(error.status_code, "INVALID_REQUEST")
    return problem_response(problem(error.status_code, code, str(error.detail), request.url.path, headers=error.headers))


async def _on_defect(request: Request, error: Exception) -> Response:
    answer = problem(500, "INTERNAL_ERROR", "The request failed inside whalefall; the log has the reason.", request.url.path)
    _logger.error("%s %s", answer.error_id, request.url.path, exc_info=error)
    return problem_response(answer)
