"""The documents: README.md and its neighbours, the pages of docs/, and the blocks and tables in them."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README, CHANGELOG, CONTRIBUTING = (ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING"))


def every_page() -> list[Path]:
    """Every Markdown file of docs/."""
    return sorted(DOCS.rglob("*.md"))


def pages_in_navigation() -> list[Path]:
    """The pages in the order of the site's navigation."""
    navigation = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    return [DOCS / page for section in navigation for page in ([section] if isinstance(section, str) else next(iter(section.values())))]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, also those in a list."""
    indented = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in indented]


def commands(page: Path) -> Iterator[str]:
    """The commands in the `sh` blocks of a page. A command may have several lines."""
    for text in blocks(page, "sh"):
        lines: list[str] = []
        for line in text.splitlines():
            lines.append(line)
            command = "\n".join(lines)
            if not command.endswith("\\") and _is_closed(command):
                yield command
                lines = []
        assert not lines, f"{page}: an open quotation in {lines}"


def _is_closed(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


def table_under(page: Path, header: str) -> list[list[str]]:
    """The cells of the table with this header line."""
    text = page.read_text()
    lines = text[text.index(header) :].splitlines()[2:]
    rows = lines[: next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
