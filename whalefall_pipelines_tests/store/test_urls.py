"""A URL is read as intended, or refused without showing any of it."""

import traceback
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.urls import describe, hide_secrets, holds_secret, parse_url

SECRET = "hunter2-canary"
# Where an unencoded password can end up: in the host, the port, the database, an option.
DOUBTFUL = (
    "postgresql://wf:p@{}/w:rd@host/db",
    "postgresql://wf:p@{}@host/db",
    "postgresql://wf:p/{}@host/db",
    "postgresql://wf:p?{}@host/db",
    "postgresql://wf:5/{}@host/db",
    "postgresql://wf:p%{}@host/db",
    "postgresql://wf/{}@host/db",
    "postgresql:///wf:{}@host",
    "postgresql://wf:x@host:{}/db",
    "postgresql://wf:x@host/db?password={}",
    "postgresql://wf:x@host/db?{}=1",
    "wf:{}@host/db",
    "{}://host/db",
    "{}",
)


@pytest.mark.parametrize("form", DOUBTFUL)
def test_a_doubtful_url_is_refused_without_a_trace_of_it(form: str) -> None:
    with pytest.raises(InputError, match="%40 for @") as refused:
        parse_url(form.format(SECRET))
    assert SECRET not in "".join(traceback.format_exception(refused.value))


@given(user=st.text(min_size=1), password=st.text(min_size=1))
def test_an_encoded_login_is_read_as_it_was_meant(user: str, password: str) -> None:
    url = parse_url(f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@db.example:6432/facts")
    assert (url.username, url.password, describe(url)) == (user, password, "db.example:6432/facts")


@given(password=st.text(alphabet="ab@:/?#%&=[]. ", max_size=12))
def test_what_is_shown_of_any_password_is_where_the_store_is(password: str) -> None:
    """Two third-party parsers agree on the location, or the URL is refused."""
    try:
        url = parse_url(f"postgresql://wf:{password}@db.example/facts")
    except InputError:
        return
    assert describe(url) == "db.example:5432/facts"
    assert hide_secrets(url) in {"postgresql+psycopg2://wf:***@db.example/facts", "postgresql+psycopg2://wf@db.example/facts"}


@pytest.mark.parametrize(
    "text", ["postgres://a/b", "postgresql://h", "postgresql://u@[::1]:5432/b?sslmode=require", "postgresql+psycopg2://u:p@a:1/b"]
)
def test_plain_urls_are_read(text: str) -> None:
    assert parse_url(text).drivername == "postgresql+psycopg2"


def test_the_password_of_a_key_is_hidden_as_well() -> None:
    url = parse_url(f"postgresql://wf@host/db?sslpassword={SECRET}")
    assert (holds_secret(url), SECRET in hide_secrets(url)) == (True, False)
    assert not holds_secret(parse_url("postgresql://wf@host/db"))
