"""Dashboards for Grafana over the store, made from the statements in `sql/reports/`.

`python -m whalefall_pipelines.installation.grafana DIR` writes them.
They need a PostgreSQL data source with the reader role. Metrics are for Prometheus; what has a row for each database is asked here.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whalefall_pipelines import queries

_SOURCE = {"type": "grafana-postgresql-datasource", "uid": "${store}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """A statement of `sql/reports/`, its title, and how it is drawn: `timeseries` or `table`. `unit` is that of all its numbers."""

    report: str
    title: str
    kind: str = "table"
    unit: str = "short"


DASHBOARDS: Mapping[str, tuple[str, tuple[Panel, ...]]] = {
    "fleet": (
        "Whalefall: fleet",
        (
            Panel("fleet_totals", "Size of the fleet on complete days", "timeseries", "decbytes"),
            Panel("servers_of_zones", "Servers by zone"),
            Panel("largest_servers", "Largest servers"),
        ),
    ),
    "collecting": (
        "Whalefall: collecting",
        (
            Panel("databases_by_state", "Databases by state", "timeseries"),
            Panel("missing_by_reason", "Missing databases by reason", "timeseries"),
            Panel("newest_sessions", "Newest sessions"),
            Panel("missing_today", "Missing today, and what to do"),
        ),
    ),
    "growth": (
        "Whalefall: growth",
        (
            Panel("fastest_growing", "Grew most in 30 days"),
            Panel("soonest_full", "Full first"),
            Panel("comings_and_goings", "Came and went in 30 days"),
        ),
    ),
}


def statement(report: str) -> str:
    """The statement of a panel, without its header."""
    return "\n".join(line for line in queries.load(f"reports/{report}").splitlines() if not line.startswith("--"))


def dashboard(name: str) -> dict[str, Any]:
    """A dashboard as Grafana imports it."""
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"whalefall-{name}",
        "title": title,
        "tags": ["whalefall"],
        "schemaVersion": 39,
        "refresh": "15m",
        "time": {"from": "now-1y" if name == "fleet" else "now-30d", "to": "now"},
        "templating": {"list": [{"name": "store", "type": "datasource", "query": "grafana-postgresql-datasource", "label": "Store"}]},
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    form = "time_series" if panel.kind == "timeseries" else "table"
    return {
        "id": number + 1,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"h": 9, "w": 24, "x": 0, "y": 9 * number},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": _bytes_overrides()},
        "targets": [{"refId": "A", "datasource": _SOURCE, "format": form, "rawQuery": True, "rawSql": statement(panel.report)}],
    }


def _bytes_overrides() -> list[dict[str, Any]]:
    """Columns that end with _bytes are sizes."""
    return [{"matcher": {"id": "byRegexp", "options": ".*_bytes"}, "properties": [{"id": "unit", "value": "decbytes"}]}]


def write(folder: Path) -> None:
    """Write every dashboard as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in DASHBOARDS:
        (folder / f"{name}.json").write_text(json.dumps(dashboard(name), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
