"""How many requests the API answered, and how long they took, since this process began."""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate

from whalefall_pipelines.domain.metrics import Metric, Sample

_LIMITS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
_NAMES = (*(str(limit) for limit in _LIMITS), "+Inf")


@dataclass(slots=True)
class _Route:
    seconds: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * len(_NAMES))


@dataclass
class Traffic:
    """Requests by route, method and class of status. Only the thread of the event loop counts."""

    _routes: dict[tuple[str, str, str], _Route] = field(default_factory=dict[tuple[str, str, str], _Route])

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. A route is its template, so that no identifier becomes a series."""
        counted = self._routes.setdefault((route, method, f"{status // 100}xx"), _Route())
        counted.seconds += seconds
        counted.counts[bisect_left(_LIMITS, seconds)] += 1

    def metrics(self) -> tuple[Metric, ...]:
        """What Prometheus is told of them."""
        totals: list[Sample] = []
        durations: list[Sample] = []
        for (route, method, status), counted in sorted(self._routes.copy().items()):
            labels = {"route": route, "method": method, "status": status}
            counts = list(accumulate(counted.counts))
            totals.append(Sample(counts[-1], labels))
            durations += [Sample(count, {**labels, "le": name}, "_bucket") for name, count in zip(_NAMES, counts, strict=True)]
            durations += [Sample(round(counted.seconds, 6), labels, "_sum"), Sample(counts[-1], labels, "_count")]
        return (
            Metric("whalefall_http_requests_total", "Requests that the API answered.", tuple(totals), "counter"),
            Metric("whalefall_http_request_duration_seconds", "How long these answers took.", tuple(durations), "histogram"),
        )
