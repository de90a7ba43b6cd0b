"""The doctor's checks of workers: every zone with servers is reached by a worker, or by the processes of the centre."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine, problem, warning
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.domain.zones import CENTRE, Zones, name_of, names_of
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.sessions.zones import list_zones

# A worker answers at once, whatever it executes; a link to a zone may be slow.
_ANSWER_SECONDS = 2.0


def check(examined: Examined) -> Iterator[Outcome]:
    """Check the zones of the active servers."""
    collecting = examined.settings.of(CollectingSettings)
    servers = {known.zone: known.instances for known in list_zones(examined.store, SyncCategory.CAPACITY, examined.today)}
    if collecting.broker_url:
        yield from check_workers(servers, find_queues(collecting.broker_url))
    elif servers:
        yield from check_reach(servers, collecting.reached)


def find_queues(broker_url: str) -> frozenset[str] | None:
    """The queues to which a worker listens now; None if Redis does not answer."""
    from celery import Celery  # noqa: PLC0415 - an extra, used only where there is a Redis
    from kombu.exceptions import OperationalError  # noqa: PLC0415

    app: Any = Celery(broker=broker_url)  # the library has no types
    app.conf.broker_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 5}
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
            inspect = app.control.inspect(timeout=_ANSWER_SECONDS, connection=connection)
            answers: dict[str, list[dict[str, str]]] = inspect.active_queues() or {}
    except OperationalError:
        return None
    return frozenset(queue["name"] for queues in answers.values() for queue in queues)


def check_workers(servers: Mapping[str | None, int], queues: Collection[str] | None) -> list[Outcome]:
    """Check that a worker listens for each zone, and for the centre, in which every other run is executed."""
    if queues is None:
        step = "start that Redis, or correct WHALEFALL_BROKER_URL."
        return [problem("workers", "the Redis of WHALEFALL_BROKER_URL does not answer, so no run begins.", step)]
    wanted = {CENTRE: "runs without a zone"} | {name_of(zone): counted(count, "server") for zone, count in servers.items()}
    bad = [
        problem(
            "workers",
            f"no worker listens for {zone} ({what}), so its runs wait and fail.",
            f"start `whalefall worker` with WHALEFALL_ZONES={zone} where its servers are reached, or read its log.",
        )
        for zone, what in wanted.items()
        if zone not in queues
    ]
    return bad or [fine("workers", f"a worker listens for {', '.join(sorted(wanted))}.")]


def check_reach(servers: Mapping[str | None, int], reached: Zones) -> list[Outcome]:
    """Check that this process reaches every zone, as every run does that is started beside the code server."""
    if others := {zone: count for zone, count in servers.items() if zone not in reached}:
        unreached = counted(sum(others.values()), "server is in a zone", "servers are in zones")
        sentence = f"{unreached} that this process does not reach: {names_of(others)}."
        step = "name these zones in WHALEFALL_ZONES where Dagster's code server runs, or run workers in them."
        return [warning("zones", sentence, step)]
    return [fine("zones", f"this process reaches {names_of(servers)}.")]
