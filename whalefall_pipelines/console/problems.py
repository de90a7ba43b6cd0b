"""Problems as pages: what happened, and what a person does next. Programs get the same problems as JSON from `api/app.py`."""

from collections.abc import Mapping

from whalefall_pipelines.api_base.problems import Problem
from whalefall_pipelines.console.blocks import Block, Links, Note, Page, Tone, text

_TITLES: Mapping[int, str] = {
    400: "This request is not valid.",
    401: "You are not signed in.",
    403: "You are not allowed to do this.",
    404: "Not found.",
    409: "Nothing was done.",
    412: "Something has changed meanwhile.",
    413: "This form is too large.",
    429: "Too many requests.",
    502: "Dagster did not accept the run.",
    503: "The store does not answer.",
}
_NEXT_STEPS: Mapping[str, str] = {
    "AUTHENTICATION_REQUIRED": "Sign in again. What you sent was not carried out.",
    "CSRF_INVALID": "Open the page on this server, and send the form there.",
    "PERMISSION_DENIED": "Sign in with a token that has it; `whalefall tokens create NAME --scope SCOPE` creates one.",
    "RATE_LIMITED": "Go back, wait that long, and send it again. Nothing was carried out.",
    "RESOURCE_NOT_FOUND": "It may have been removed or renamed. The list above has all pages.",
    "CONSTRAINT_VIOLATION": "Look at what it is now, and decide again.",
    "DATABASE_CONNECTION_ERROR": "“Test the connection” on the page of the server shows what is wrong.",
    "SYNC_DATA_ERROR": "The page Missing has the reason and the statement that fixes it.",
    "SESSION_RUNNING": "Wait until the session ends, or cancel it on its page.",
    "TASK_EXECUTION_FAILED": "`whalefall up` runs Dagster together with the console.",
    "DATABASE_QUERY_ERROR": "`whalefall doctor` shows what is wrong with the store.",
}


def next_step(code: str) -> list[Block]:
    """What a person does after a problem with this code, if there is something to do."""
    return [Note(Tone.WARNING, _NEXT_STEPS[code])] if code in _NEXT_STEPS else []


def problem_page(answer: Problem, address: str | None) -> Page:
    """The page of a request that was not fulfilled. `address` can be asked again; None if something was sent to it."""
    blocks = next_step(answer.message_code)
    if answer.status >= 500:
        blocks.append(Note(Tone.PROBLEM, "The log of the web process has the reason.", f"It is beside the identifier {answer.error_id}."))
    if answer.status == 401:
        blocks.append(Links([text("Sign in", "/sign-in")]))
    if answer.recoverable and address:
        blocks.append(Links([text("Try again", address)]))
    return Page(_TITLES.get(answer.status, "This failed."), answer.detail, blocks)
