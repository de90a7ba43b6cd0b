"""What Prometheus is told: the metrics of every area, of at most a minute ago, and the requests of this process."""

import threading
import time
from dataclasses import dataclass, field

from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.areas import areas
from whalefall_pipelines.capacity.metrics import read_database_metrics
from whalefall_pipelines.domain.metrics import Metric, expose

# Several scrapers, and impatient ones, cost the store as much as one.
KEPT_SECONDS = 60
Tag = tuple[str, str | None]


@dataclass
class Scrapes:
    """The metrics that were read last. Whoever comes while they are read waits for them."""

    _areas: tuple[float, tuple[Metric, ...]] = (float("-inf"), ())
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def scrape(self, services: Services, *, with_databases: bool, tag: Tag | None) -> str:
        """The text of all metrics: of databases only the largest, or those on servers with a tag, and only if they are asked for."""
        metrics = [*self._of_areas(services), *services.traffic.metrics()]
        if with_databases or tag:
            metrics += read_database_metrics(services.reader, services.today(), tag)
        return expose(metrics)

    def _of_areas(self, services: Services) -> tuple[Metric, ...]:
        with self._lock:
            read_at, metrics = self._areas
            if time.monotonic() - read_at > KEPT_SECONDS:
                today = services.today()
                areas_ = [area.load("metrics") for area in areas() if area.has_metrics]
                metrics = tuple(metric for area in areas_ for metric in area.read_metrics(services.reader, today))
                self._areas = time.monotonic(), metrics
            return metrics
