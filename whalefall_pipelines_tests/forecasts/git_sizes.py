"""Real daily sizes: the bytes of a git repository's tree, as a whole and by top folder, and of all files that it ever held.

The second grows like a store that deletes nothing; the first has births, loads, purges and years in which nothing happens.
"""

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_WHOLE, _EVER = "(whole tree)", "(ever)"


@dataclass
class _Tree:
    """The files at one moment, with their bytes by top folder."""

    sizes: Mapping[str, int]
    files: dict[str, int] = field(default_factory=dict[str, int])
    totals: Counter[str] = field(default_factory=Counter[str])
    seen: set[str] = field(default_factory=set[str])

    def change(self, path: str, blob: str, *, is_deleted: bool) -> None:
        top = path.split("/", 1)[0] if "/" in path else "(root)"
        size = 0 if is_deleted else self.sizes.get(blob, 0)
        difference = size - self.files.pop(path, 0)
        if not is_deleted:
            self.files[path] = size
        self.totals[top] += difference
        self.totals[_WHOLE] += difference
        if blob not in self.seen and not is_deleted:
            self.seen.add(blob)
            self.totals[_EVER] += size


def daily_sizes(repository: Path, *, at_least: int = 200_000) -> dict[str, NDArray[np.float64]]:
    """The bytes of each day from its first day with `at_least` bytes on, by name; a day without a commit keeps the size before."""
    days = dict(_by_day(repository))
    if not days:
        return {}
    first, last = min(days), max(days)
    names = {name for totals in days.values() for name in totals}
    series: dict[str, NDArray[np.float64]] = {}
    for name in sorted(names):
        sizes, size = list[float](), 0
        for number in range((last - first).days + 1):
            totals = days.get(first + timedelta(days=number))
            size = size if totals is None else totals.get(name, 0)
            sizes.append(float(size))
        values = np.array(sizes)
        large = np.flatnonzero(values >= at_least)
        if len(large):
            series[name] = values[large[0] :]
    return series


def _by_day(repository: Path) -> Iterator[tuple[date, dict[str, int]]]:
    arguments = (
        "log",
        "--first-parent",
        "--reverse",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "--diff-merges=first-parent",
        "--format=C %ct",
    )
    lines = _git(repository, *arguments).splitlines()
    blobs = {line.split()[3] for line in lines if line.startswith(":")}
    tree, day = _Tree(_blob_sizes(repository, blobs)), None
    for line in lines:
        if line.startswith("C "):
            committed = datetime.fromtimestamp(int(line[2:]), UTC).date()
            if day is not None and committed > day:
                yield day, dict(tree.totals)
            day = committed if day is None else max(day, committed)
        elif line.startswith(":"):
            about, path = line.split("\t", 1)
            fields = about.split()
            tree.change(path, fields[3], is_deleted=fields[4] == "D")
    if day is not None:
        yield day, dict(tree.totals)


def _blob_sizes(repository: Path, blobs: set[str]) -> dict[str, int]:
    answer = _git(repository, "cat-file", "--batch-check=%(objectname) %(objectsize)", given="\n".join(sorted(blobs)))
    pairs = (line.split() for line in answer.splitlines())
    return {name: int(size) for name, size in pairs if size.isdigit()}


def _git(repository: Path, *arguments: str, given: str | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        input=given,
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    return done.stdout
