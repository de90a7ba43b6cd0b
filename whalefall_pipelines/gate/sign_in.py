"""Signing in and out in a browser: with a token that is pasted once, or with a link that works once. The cookie is a token of its own."""

import re
from html import escape
from urllib.parse import parse_qs, quote

from starlette.responses import HTMLResponse, RedirectResponse, Response

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.gate.callers import COOKIE

PATH = "/sign-in"
OUT_PATH = "/sign-out"
MOST_FORM_BYTES = 4096
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}")
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>whalefall: sign in</title><style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:15vh auto;padding:0 1rem}}
label,input,button{{display:block;width:100%;box-sizing:border-box;font:inherit}}
input,button{{padding:.5rem;margin:.3rem 0 1rem}}</style></head>
<body><h1>whalefall</h1>{message}<form method="post" action="{action}">{field}
<button type="submit">Sign in</button></form><p>{hint}</p></body></html>"""
_FIELD = (
    '<label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
)
_HINT = "<code>whalefall tokens create NAME</code> creates a token, <code>whalefall tokens link</code> a link that signs you in once."


def local_path(text: str) -> str:
    """Where to go after signing in: a path of this server, and nothing else."""
    return text if _LOCAL.fullmatch(text) else "/"


def page(query: str, *, is_refused: bool = False) -> Response:
    """The form. With a link it has only a button, because programs that preview links must not use them up."""
    values = parse_qs(query)
    link = values.get("link", [""])[0]
    action = f"{PATH}?next={quote(local_path(values.get('next', ['/'])[0]))}"
    message = "<p><strong>This token or link is not valid or has expired.</strong></p>" if is_refused else ""
    is_link = bool(link) and not is_refused
    field = f'<input type="hidden" name="token" value="{escape(link, quote=True)}">' if is_link else _FIELD
    text = _PAGE.format(message=message, action=escape(action, quote=True), field=field, hint="" if is_link else _HINT)
    return HTMLResponse(text, 403 if is_refused else 200, _HEADERS)


def sign_in(services: Services, query: str, form: bytes, *, is_secure: bool) -> Response:
    """Exchange the posted token or link for a cookie."""
    secret = parse_qs(form.decode("utf-8", "replace")).get("token", [""])[0].strip()
    cookie = tokens.sign_in(services.writer, secret, services.clock())
    if cookie is None:
        return page(query, is_refused=True)
    answer = RedirectResponse(local_path(parse_qs(query).get("next", ["/"])[0]), 303, _HEADERS)
    seconds = tokens.BROWSER_HOURS * 3600
    answer.set_cookie(COOKIE, cookie, max_age=seconds, httponly=True, samesite="lax", secure=is_secure, path="/")
    return answer


def sign_out(services: Services, secret: str) -> Response:
    """End the sign-in of this browser."""
    tokens.sign_out(services.writer, secret, services.clock())
    answer = RedirectResponse(PATH, 303, _HEADERS)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def to_sign_in(path: str) -> Response:
    """Send a browser to the form, and back afterwards."""
    return RedirectResponse(f"{PATH}?next={quote(local_path(path))}", 303, _HEADERS)
