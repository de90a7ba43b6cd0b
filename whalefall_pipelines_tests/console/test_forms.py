"""Forms: everything a person changes on the pages works without JavaScript, through the API, with its scope, and never from elsewhere."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from uuid import uuid4

import httpx
import pytest

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.console.actions import ACTIONS
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.conftest import cloned_store
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register, server


@pytest.fixture(scope="module")
def pages(postgres_server: PostgresCluster, store_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with one server that was measured today."""
    with cloned_store(postgres_server, store_template) as store:
        (orders,) = register(store, "orders")
        write_days(store, {((orders.instance_id, "shop"), today(system_clock(), store.timezone)): ModelDay(10**9)})
        with site(store, tmp_path_factory.mktemp("home"), {"orders": server()}) as running:
            yield running


@contextmanager
def browser(running: Site, scope: Scope = Scope.ADMIN) -> Generator[httpx.Client]:
    """A browser that is signed in with this scope. It sends the headers of pages of this server."""
    with httpx.Client(base_url=running.url, trust_env=False, follow_redirects=False, timeout=60, headers={"Origin": running.url}) as client:
        assert client.post("/sign-in", data={"token": running.token(scope)}).status_code == 303
        yield client


def form_of(html: str, action: str) -> dict[str, str]:
    """What a browser would send of a form that nobody filled in."""
    (form,) = re.findall(rf'<form method="post" action="/do/{action}".*?</form>', html, re.DOTALL)
    sent = {
        name: unescape(value)
        for name, value in re.findall(r'<input (?:type="[a-z]+" )name="([a-z_]+)" value="([^"]*)"', form)
        if f'type="checkbox" name="{name}"' not in form
    }
    sent |= {name: unescape(text) for name, text in re.findall(r'<textarea name="(\w+)".*?>\n(.*?)</textarea>', form, re.DOTALL)}
    for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', options) or re.findall(r'<option value="([^"]*)"', options)
        sent[name] = unescape(chosen[0])
    return sent


def sent(client: httpx.Client, page: str, action: str, **filled: str) -> httpx.Response:
    """Open a page, fill in a form on it, and send it."""
    return client.post(f"/do/{action}", data={**form_of(client.get(page).text, action), **filled})


def audited(running: Site) -> tuple[str, str]:
    """Method and path of the newest change."""
    (row,) = query(running.store, "select method, path from api_requests order by requested_at desc limit 1")
    return row


def test_a_server_is_added_changed_disabled_and_removed(pages: Site) -> None:
    pages.fleet.servers["web"] = server()
    with browser(pages) as client:
        filled = {"name": "web", "engine": "mysql", "host": "192.0.2.9", "username": "monitor", "tags": "env=prod\r\nteam=x"}
        added = sent(client, "/instances", "add-server", **filled)
        assert (added.status_code, "The server is registered" in added.text) == (200, True), added.text
        assert audited(pages) == ("POST", "/api/v1/instances")
        stored = "select host, port, tags, is_active from instances where name = 'web'"
        assert query(pages.store, stored) == [("192.0.2.9", 3306, {"env": "prod", "team": "x"}, True)]
        changed = sent(client, "/server?name=web", "change-server", capacity_limit="2GiB", tags="env=test", port="3307", sslmode="require")
        assert changed.status_code == 200, changed.text
        assert query(pages.store, stored) == [("192.0.2.9", 3307, {"env": "test"}, True)]
        assert "2.1 GB" in client.get("/server?name=web").text
        # what is emptied is unset, and what is not touched stays
        assert sent(client, "/server?name=web", "change-server", capacity_limit="").status_code == 200
        assert query(pages.store, "select capacity_limit_bytes, sslmode, port from instances where name = 'web'") == [
            (None, "require", 3307)
        ]
        assert "no longer collected" in sent(client, "/server?name=web", "disable-server").text
        assert query(pages.store, stored)[0][3] is False
        assert "collected again" in sent(client, "/server?name=web", "enable-server").text
        assert sent(client, "/server?name=web", "remove-server", sure="true").status_code == 200
        assert audited(pages)[0] == "DELETE"
        assert client.get("/server?name=web").status_code == 404


def test_what_cannot_be_registered_is_told_and_what_was_typed_stays(pages: Site) -> None:
    with browser(pages) as client:
        refused = sent(client, "/instances", "add-server", name="bad", host="192.0.2.9", port="99999", username="me")
        assert refused.status_code == 400
        assert "less than or equal to 65535" in refused.text
        assert form_of(refused.text, "add-server")["host"] == "192.0.2.9"
        assert "key=value" in sent(client, "/instances", "add-server", name="bad", host="h", tags="nonsense").text
        assert query(pages.store, "select 1 from instances where name = 'bad'") == []


def test_a_fleet_file_is_registered_by_the_plan_that_was_shown(pages: Site) -> None:
    file = "instances:\r\n  - {name: shop1, engine: mysql, host: 192.0.2.21, username: m}\r\n"
    with browser(pages) as client:
        plan = sent(client, "/instances", "import-servers", file=file)
        assert ("Nothing is registered yet" in plan.text, "shop1" in plan.text) == (True, True), plan.text
        assert query(pages.store, "select 1 from instances where name = 'shop1'") == []
        confirmed = form_of(plan.text, "carry-out-import")
        register(pages.store, "meanwhile")
        other = client.post("/do/carry-out-import", data={**confirmed, "file": file.replace("21", "22"), "key": "another"})
        assert (other.status_code, "The plan has changed" in other.text) == (412, True)
        done = client.post("/do/carry-out-import", data=confirmed)
        assert (done.status_code, "The plan was carried out" in done.text) == (200, True), done.text
        assert query(pages.store, "select host from instances where name = 'shop1'") == [("192.0.2.21",)]
        assert "registered already" in sent(client, "/instances", "import-servers", file=file).text
        broken = sent(client, "/instances", "import-servers", file="instances: [{name: x, password: hunter2}]")
        assert (broken.status_code, "hunter2" in re.sub("<textarea.*?</textarea>", "", broken.text, flags=re.DOTALL)) == (400, False)


def test_a_server_is_tested_and_collected(pages: Site) -> None:
    with browser(pages, Scope.OPERATE) as client:
        tested = sent(client, "/server?name=orders", "test-server")
        assert (tested.status_code, "Privileges of the login" in tested.text) == (200, True), tested.text
        collected = sent(client, "/server?name=orders", "collect-server")
        assert (collected.status_code, "databases were measured" in collected.text) == (200, True), collected.text


def test_a_token_is_shown_once_and_revoked(pages: Site) -> None:
    with browser(pages) as client:
        form = form_of(client.get("/settings").text, "create-token")
        made = client.post("/do/create-token", data={**form, "name": "nightly", "scope": "operate", "lifetime_days": "30"})
        (secret,) = re.findall(r"wf_[A-Za-z0-9_-]{43}", made.text)
        again = client.post("/do/create-token", data={**form, "name": "nightly", "scope": "operate", "lifetime_days": "30"})
        assert (again.status_code, secret in again.text) == (409, False)
        settings = client.get("/settings").text
        assert ("nightly" in settings, secret in settings) == (True, False)
        bearer = {"Authorization": f"Bearer {secret}"}
        me = httpx.get(f"{pages.url}/api/v1/me", headers=bearer, trust_env=False, timeout=60)
        assert me.json()["data"]["scope"] == "operate"
        (token_id,) = query(pages.store, "select token_id from api_tokens where name = 'nightly'")[0]
        assert sent(client, "/settings", "revoke-token", token_id=str(token_id)).status_code == 200
        assert query(pages.store, "select revoked_at is not null from api_tokens where name = 'nightly'") == [(True,)]


def test_a_backfill_of_chosen_days_is_queued_and_its_session_can_be_watched(pages: Site) -> None:
    day = pages.services.today()
    with browser(pages, Scope.OPERATE) as client:
        chosen = {"first_day": str(day - timedelta(days=9)), "last_day": str(day - timedelta(days=2))}
        launched = sent(client, "/missing", "launch-backfill", **chosen)
        assert launched.status_code == 200, launched.text
        run = pages.launcher.runs[-1]
        assert (run.job_name, run.first_start, run.last_start) == (
            "collect_capacity",
            day - timedelta(days=9),
            day - timedelta(days=2),
        )
        assert f"/session?id={run.session_id}" in launched.text
        assert "The session is queued in Dagster" in client.get(f"/session?id={run.session_id}").text
        for wrong in (
            {"last_day": str(day)},
            {"first_day": "2020-01-01"},
            {"first_day": str(day), "last_day": str(day - timedelta(days=1))},
        ):
            assert sent(client, "/missing", "launch-backfill", **{**chosen, **wrong}).status_code == 400
        assert len(pages.launcher.runs) == 1


def test_a_running_session_is_cancelled(pages: Site) -> None:
    day = pages.services.today()
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day)
    sessions.open_session(pages.store, plan, [1])
    with browser(pages, Scope.OPERATE) as client:
        page = f"/session?id={plan.session_id}"
        form = form_of(client.get(page).text, "cancel-session")
        assert "The session is cancelled" in client.post("/do/cancel-session", data=form).text
        # the same form again does nothing and answers the same; the page has no button any more
        assert "The session is cancelled" in client.post("/do/cancel-session", data=form).text
        assert "cancel-session" not in client.get(page).text


def test_months_are_created_and_dropped_by_the_plan_that_was_shown(pages: Site) -> None:
    today_ = pages.services.today()
    old = today_ - timedelta(days=900)
    ensure_months(pages.store, [old], ["database_size_stats"])
    with browser(pages) as client:
        ahead = (today_.replace(day=1) + timedelta(days=70)).replace(day=15)
        assert "table partitions were created" in sent(client, "/partitions", "create-month", date=str(ahead)).text
        assert "already has the month" in sent(client, "/partitions", "create-month", date=str(ahead)).text
        plan = sent(client, "/partitions", "clean-up")
        assert f"database_size_stats_{old:%Y_%m}" in plan.text
        confirmed = form_of(plan.text, "carry-out-cleanup")
        ensure_months(pages.store, [old - timedelta(days=40)], ["database_size_stats"])
        assert client.post("/do/carry-out-cleanup", data={**confirmed, "key": "a"}).status_code == 412
        confirmed = form_of(sent(client, "/partitions", "clean-up").text, "carry-out-cleanup")
        assert "2 steps were carried out, 0 failed" in client.post("/do/carry-out-cleanup", data=confirmed).text


_IDENTIFIERS = {"session_id": "00000000-0000-0000-0000-000000000000"} | dict.fromkeys(
    ("instance_id", "token_id", "alert_id", "mute_id"), "1"
)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_action_needs_its_scope_a_page_of_this_server_and_a_sign_in(pages: Site, action: str) -> None:
    scopes = list(Scope)
    below = scopes[scopes.index(ACTIONS[action].scope) - 1]
    with browser(pages, below) as client:
        refused = client.post(f"/do/{action}", data=_IDENTIFIERS | {"name": "x", "file": "x"})
        assert (refused.status_code, "needs the scope" in refused.text) == (403, True)
        foreign = client.post(f"/do/{action}", data=_IDENTIFIERS, headers={"Origin": "https://evil.example"})
        assert (foreign.status_code, foreign.json()["message_code"]) == (403, "CSRF_INVALID")
    assert httpx.post(f"{pages.url}/do/{action}", data=_IDENTIFIERS, trust_env=False, timeout=60).status_code == 401
    assert httpx.get(f"{pages.url}/do/{action}", trust_env=False, timeout=60).status_code == 401


def test_who_may_only_read_sees_no_form(pages: Site) -> None:
    with browser(pages, Scope.READ) as client:
        for page in ("/server?name=orders", "/instances", "/missing", "/partitions"):
            html = client.get(page).text
            assert ('action="/do/' in html, "needs a sign-in with the scope" in html) == (False, True)
        assert client.get("/settings").status_code == 403


def test_a_broken_form_is_a_sentence(pages: Site) -> None:
    with browser(pages) as client:
        assert client.post("/do/nothing").status_code == 404
        assert client.post("/do/test-server", data={"instance_id": "../tokens"}).status_code == 400
        assert client.post("/do/create-token", data={"name": "x" * 1_100_000}).status_code == 400
        assert client.post("/do/create-token", data={"name": "x", "back": "//evil.example"}, headers={"X-Nothing": "1"}).status_code == 200
        refused = client.post("/do/create-token", data={"name": "x", "back": "//evil.example"})
        assert (refused.status_code, "evil" in refused.text) == (400, False)
