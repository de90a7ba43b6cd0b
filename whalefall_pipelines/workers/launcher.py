"""The run launcher of an installation with workers in zones, named in `dagster.yaml`. It mends defects of dagster-celery's own."""

from collections.abc import Mapping
from typing import Any, Self

from dagster import DagsterRun
from dagster._core.launcher import LaunchRunContext
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClassData, pack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG

from whalefall_pipelines.domain.zones import CENTRE, ZONE_TAG
from whalefall_pipelines.errors import LaunchError
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.workers.queues import CONFIG, broker_url, make_queues


class ZoneRunLauncher(CeleryRunLauncher):
    """Puts every run into the queue of its zone; a run without a zone into that of the centre."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        """Use the Redis of the settings."""
        settings = load_settings()
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
            CENTRE, broker=broker_url(settings), config_source=dict(CONFIG), inst_data=inst_data
        )
        self.celery = make_queues(settings)

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
        """Cancel a run. Told first, Dagster shows it as cancelled; dagster-celery's own launcher lets it fail."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """No: a Redis that came back empty knows of no run, and would have every healthy one failed. Heartbeats in the store are better."""
        return False

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:  # noqa: ARG002, FBT001, FBT002
        """Where the run is executed."""
        return f"queue {run.tags.get(ZONE_TAG, CENTRE)}"
