"""The recipes of the page on the API, executed as they are written: only addresses, tokens and names of hosts are replaced."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines_tests.api.site import Site
from whalefall_pipelines_tests.documents.pages import DOCS, blocks
from whalefall_pipelines_tests.factories import query

PAGE = DOCS / "howto" / "use-the-api.md"


def here(text: str, running: Site, token: str) -> str:
    """A recipe with the address of this site, and a token of it."""
    assert "http://127.0.0.1:3000" in text
    return text.replace("http://127.0.0.1:3000", running.url).replace("wf_…", token)


def test_curl_does_what_the_page_says(running: Site, tmp_path: Path) -> None:
    running.fleet.servers["shop"] = running.fleet.servers["orders"]
    (tmp_path / "password").write_text("monitor")
    lists, day = blocks(PAGE, "bash")
    script = here(lists, running, running.token(Scope.ADMIN)) + day
    script = script.replace("shop.example", "127.0.0.1").replace("/run/secrets/shop", str(tmp_path / "password"))
    folder = tmp_path / "recipes"
    folder.mkdir()
    result = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    answers = [json.loads(text) for text in re.findall(r'{"success":true.*?}(?={"success"|$)', result.stdout)]
    assert len(answers) == 7
    assert (folder / "sizes.csv").read_text().startswith("stat_date,")
    assert [answers[3]["data"]["database_count"], len(answers[4]["data"]["items"])] == [2, 2]
    assert (answers[5]["data"]["status"], answers[6]["data"]["status"]) == ("queued", "cancelled")
    assert (folder / "token.header").stat().st_mode & 0o077 == 0
    audited = query(running.store, "select method, status from api_requests order by requested_at")
    assert audited == [("POST", 201), ("POST", 200), ("POST", 200), ("POST", 202), ("POST", 202)]


def test_python_does_what_the_page_says(running: Site, capsys: pytest.CaptureFixture[str]) -> None:
    query(running.store, """update instances set tags = '{"env": "prod"}' returning 1""")
    script, notebook = blocks(PAGE, "python")
    day = running.services.today()
    exec(here(script, running, running.token(Scope.READ)).replace("2026, 11, 22", f"{day.year}, {day.month}, {day.day}"), {})  # noqa: S102
    printed = capsys.readouterr().out
    assert "orders app 1090" in printed
    assert "PERMISSION_DENIED" in printed  # the scope read may not collect
    names: dict[str, Any] = {}
    exec(here(notebook, running, running.token(Scope.READ)), names)  # noqa: S102
    names["client"].close()  # which a notebook keeps
    assert re.search(r"database_name +app +shop", capsys.readouterr().out)


def test_the_addresses_of_powershell_are_answered(running: Site) -> None:
    (recipe,) = [text for text in blocks(PAGE, "text") if "Invoke-RestMethod" in text]
    (address,) = re.findall(r'"(http[^"]+)"', recipe)
    headers = {"Authorization": f"Bearer {running.token(Scope.READ)}"}
    answer = httpx.get(here(address, running, ""), headers=headers, trust_env=False)
    assert answer.json()["data"]["items"]
