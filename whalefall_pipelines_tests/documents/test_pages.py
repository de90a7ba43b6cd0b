"""The documents are current and whole: they are compared with the code, their links lead somewhere, and the site is built from them."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from whalefall_pipelines.settings.load import COMMAND_VARIABLES, groups
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.documents import reference
from whalefall_pipelines_tests.documents.pages import (
    CHANGELOG,
    CONTRIBUTING,
    DOCS,
    README,
    ROOT,
    blocks,
    every_page,
    pages_in_navigation,
    table_under,
)

PACKAGE = ROOT / "whalefall_pipelines"


def test_the_reference_is_generated_from_this_code() -> None:
    for path, text in reference.pages().items():
        assert (DOCS / path).read_text(encoding="utf-8") == text, f"docs/{path} is not current: run `make docs`"


def test_every_variable_that_a_page_or_a_message_names_is_a_setting() -> None:
    known = {name for group in groups() for name in group.variables()} | COMMAND_VARIABLES
    for path in [README, *DOCS.rglob("*.md"), *PACKAGE.rglob("*.py")]:
        assert set(re.findall(r"\bWHALEFALL_[A-Z][A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))) <= known, path


def test_the_navigation_has_every_page() -> None:
    assert sorted(pages_in_navigation()) == every_page()


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 120


def test_files_and_pictures_that_are_linked_exist() -> None:
    """The builder checks links between pages of docs/, but no pictures, and not the documents beside docs/."""
    for page in (README, CHANGELOG, CONTRIBUTING, *every_page()):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            assert re.match("https?:", target) or (page.parent / target).exists(), f"{page}: {target}"


def test_the_rooms_that_are_described_are_those_of_the_package() -> None:
    rows = table_under(DOCS / "explanation" / "architecture.md", "| room | what is in it |")
    rooms = {name for row in rows for name in re.findall(r"`(\w+)/`", row[0])}
    assert rooms == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    for row in rows:
        for name in re.findall(r"`([\w/]+)\.py`", row[1]):
            assert any((PACKAGE / room / f"{name}.py").exists() for room in re.findall(r"`(\w+)/`", row[0])), name


def test_the_targets_of_make_exist_and_are_described() -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = "\n".join(page.read_text() for page in (README, CONTRIBUTING, *every_page()))
    named = {name for names in re.findall(r"`make ([\w-]+)`|^(?:\$ )?make ([\w-]+)", text, re.MULTILINE) for name in names if name}
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert named == set(phony.split())


def test_the_queries_on_views_run(store: Database) -> None:
    (statements,) = blocks(DOCS / "reference" / "views.md", "sql")
    with store.transaction() as cursor:
        cursor.execute(statements)


def test_simulated_is_written_by_the_demo_and_the_simulator_only() -> None:
    places = [path for path in (*(ROOT / "sql").rglob("*.sql"), *PACKAGE.rglob("*.py")) if "'simulated'" in path.read_text()]
    assert {path.relative_to(ROOT).parts[:2] for path in places} <= {
        ("sql", "demo"),
        ("sql", "simulator"),
        ("whalefall_pipelines", "demo"),
        ("whalefall_pipelines", "cli"),
    }
    demo = {path.name for path in places if path.parts[-2:-1] == ("demo",) and path.suffix == ".sql"}
    assert demo == {"insert_simulated_history.sql", "find_simulated_history.sql"}


class Loads(HTMLParser):
    """What a browser loads for a page: all but the links that a reader follows."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.classes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.classes += attributes.get("class", "").split()
        self.urls += [attributes[name] for name in ("src", "srcset", "data") if name in attributes]
        if tag == "link":
            self.urls.append(attributes["href"])


@pytest.mark.process
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    built = sorted((tmp_path / "site").rglob("*.html"))
    assert len(built) == len(every_page()) + 1  # and the page for what is not found
    for page in built:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.urls
        assert not [url for url in loads.urls if re.match("[a-z]+:|//", url) and not url.startswith("data:")], page
        assert "mermaid" not in loads.classes, page  # the script of the theme would load the library for diagrams
    styles = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.css"))
    assert not re.findall(r"""url\(["']?(?:https?:)?//[^)]*|@import""", styles)
