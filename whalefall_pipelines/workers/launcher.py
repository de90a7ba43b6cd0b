"""The run launcher of an installation with workers in zones, named in `dagster.yaml`. It mends defects of dagster-celery's own."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClassData, pack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError

from whalefall_pipelines.domain.sessions import DEAD_AFTER_SECONDS
from whalefall_pipelines.domain.zones import CENTRE, ZONE_TAG
from whalefall_pipelines.errors import LaunchError
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.workers.queues import CONFIG, broker_url, is_executed, make_queues


class ZoneRunLauncher(CeleryRunLauncher):
    """Puts every run into the queue of its zone; a run without a zone into that of the centre."""

    def __init__(self, inst_data: ConfigurableClassData | None = None, *, dead_after_seconds: float = DEAD_AFTER_SECONDS) -> None:
        """Use the Redis of the settings."""
        settings = load_settings()
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
            CENTRE, broker=broker_url(settings), config_source=dict(CONFIG), inst_data=inst_data
        )
        self.celery = make_queues(settings)
        self._dead_after_seconds = dead_after_seconds
        self._silent_since: dict[str, float] = {}

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing: the settings of whalefall are the one source."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """The launcher as `dagster.yaml` names it."""
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Put a run into the queue of its zone.

        Raises:
            LaunchError: the run does not say where its code is.
        """
        run = context.dagster_run
        if run.job_code_origin is None:
            raise LaunchError(f"Run {run.run_id} does not say where its code is, so no worker can execute it.")
        order = ExecuteRunArgs(run.job_code_origin, run.run_id, self._instance.get_ref(), set_exit_code_on_failure=True)
        arguments = {"execute_job_args_packed": pack_value(order)}
        # Celery has no types, and Dagster types the launcher in part.
        task: Any = self.celery.signature(TASK_EXECUTE_JOB_NAME, kwargs=arguments, immutable=True)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        queued = run.with_tags({**run.tags, DAGSTER_CELERY_QUEUE_TAG: run.tags.get(ZONE_TAG, CENTRE)})
        self._launch_celery_task_run(queued, task, TASK_EXECUTE_JOB_NAME)  # pyright: ignore[reportUnknownMemberType]

    @property
    def supports_resume_run(self) -> bool:
        """No: a run that was lost is repaired by the sensors, which know what of it is stored."""
        return False

    def terminate(self, run_id: str) -> bool:
        """Cancel a run. Told first, Dagster shows it as cancelled; dagster-celery's own launcher lets it fail.

        The worker is told through Redis. Without Redis, a sensor ends the session of the run, which interrupts it.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        with suppress(OperationalError):
            super().terminate(run_id)
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether a started run has lost its process: it has, if a Redis that answers has no heartbeat of it for a minute.

        dagster-celery's own launcher fails every healthy run after Redis came back empty. Here the process has that minute to be heard.
        """
        if is_executed(self.celery, run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, "")) is not False:
            self._silent_since.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        now = time.monotonic()
        if now - self._silent_since.setdefault(run.run_id, now) < self._dead_after_seconds:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        del self._silent_since[run.run_id]
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process sends no heartbeat: it has died, or its zone is cut off")

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:  # noqa: ARG002, FBT001, FBT002
        """Where the run is executed."""
        return f"queue {run.tags.get(ZONE_TAG, CENTRE)}"
