"""The Celery app that launcher and workers share: one queue for each zone, in the Redis of WHALEFALL_BROKER_URL.

Redis carries orders only. A run writes what happens to it into Dagster's database, so no result is kept. An order is acknowledged when
its run begins: it is executed at most once, and a run that is lost is repaired by the sensors. An order that has waited behind busy slots
for an hour is delivered again, so the worker that takes it up claims it. While it is executed, its process sends heartbeats to Redis.
"""

import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, cast

from celery import Celery, Task
from dagster_celery.make_app import make_app  # pyright: ignore[reportUnknownVariableType]
from dagster_celery.tasks import create_execute_job_task  # pyright: ignore[reportUnknownVariableType]
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import Settings

CONFIG: Mapping[str, Any] = {
    "task_ignore_result": True,
    "task_acks_late": False,
    "worker_prefetch_multiplier": 1,
    "broker_connection_retry_on_startup": True,
    # A launch that cannot reach Redis fails, and does not hold the daemon's queue.
    "broker_connection_timeout": 5,
    # A worker never gives up a Redis that is away: nobody would start it again.
    "broker_connection_max_retries": None,
    "broker_transport_options": {
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        # A worker that waits for an order sends nothing: it would notice after two hours that Redis gave it up while its zone was cut off.
        "socket_keepalive_options": {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3},
    },
    "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0.5, "interval_step": 0.5, "interval_max": 1},
}
# Longer than an order can wait, in seconds.
_CLAIM_SECONDS = 7 * 24 * 3600
# The interval of the heartbeats of an order, and how long Redis remembers the last one, in seconds.
_BEAT_SECONDS, _SILENT_SECONDS = 10, 45


class ClaimedTask(Task):
    """A task that is executed for the first delivery of its order, and does nothing for any other."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Claim the order in Redis, and execute it if that is the first claim."""
        task = cast("Any", self)  # Celery has no types
        with task.app.connection_for_write() as connection:
            client: Redis = connection.default_channel.client
            if not client.set(f"claim:{task.request.id}", 1, nx=True, ex=_CLAIM_SECONDS):
                return None
            with _heartbeats(client, task.request.id):
                return task.run(*args, **kwargs)


@contextmanager
def _heartbeats(client: Redis, order_id: str) -> Generator[None]:
    """Tell Redis in a thread that an order is executed, and after the block that it no longer is. A Redis that is away changes nothing."""
    is_over = threading.Event()

    def go_on() -> None:
        while True:
            with suppress(RedisError):
                client.set(f"alive:{order_id}", 1, ex=_SILENT_SECONDS)
            if is_over.wait(_BEAT_SECONDS):
                return

    thread = threading.Thread(target=go_on, name="order", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        with suppress(RedisError):
            client.delete(f"alive:{order_id}")


def is_executed(app: Celery, order_id: str) -> bool | None:
    """Whether a process sends heartbeats for this order; None if Redis does not answer. One that came back empty waits for the next."""
    broker: Any = app  # Celery has no types
    try:
        with broker.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
            return bool(connection.default_channel.client.exists(f"alive:{order_id}"))
    except (OperationalError, RedisError):
        return None


def broker_url(settings: Settings) -> str:
    """The URL of the Redis.

    Raises:
        InputError: it is not set.
    """
    url = settings.of(CollectingSettings).broker_url
    if url is None:
        raise InputError(
            "Workers of zones need WHALEFALL_BROKER_URL, the URL of their Redis, such as rediss://:password@redis.centre:6379/0."
        )
    return url


def make_queues(settings: Settings) -> Celery:
    """The app, with the task that executes a run. It is not shared with other apps of the process, which would have two of its name."""
    arguments = {"broker": broker_url(settings), "config_source": dict(CONFIG)}
    app = make_app(arguments)
    create_execute_job_task(app, shared=False, base=ClaimedTask)  # pyright: ignore[reportArgumentType] - Dagster types it as a dictionary
    return app
