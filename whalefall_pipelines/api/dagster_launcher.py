"""Launches runs through Dagster's own GraphQL, so that its queue, concurrency groups and retries apply. Dagster is not imported here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.errors import LaunchError

LOCATION = "whalefall_pipelines"
REPOSITORY = "__repository__"
_LAUNCH = """mutation($parameters: ExecutionParams!) {
  launchPipelineExecution(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
    ... on PipelineNotFoundError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class GraphqlLauncher:
    """A launcher over a function that sends a GraphQL request and returns its answer."""

    ask: Ask

    def launch(self, run: Run) -> str:
        """Put a run into the queue and return its id.

        Raises:
            LaunchError: Dagster cannot be reached or refuses the run.
        """
        selector = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "pipelineName": run.job_name}
        tags = [{"key": key, "value": value} for key, value in run.tags.items()]
        parameters = {
            "selector": selector,
            "mode": "default",
            "runConfigData": dict(run.config),
            "executionMetadata": {"tags": tags},
        }
        answer = self.ask({"query": _LAUNCH, "variables": {"parameters": parameters}})
        data: Mapping[str, Any] = answer.get("data") or {}
        launched: Mapping[str, Any] = data.get("launchPipelineExecution") or {}
        if launched.get("__typename") != "LaunchRunSuccess":
            refusal: object = launched.get("message") or launched.get("errors") or answer.get("errors") or launched.get("__typename")
            raise LaunchError(f"Dagster refuses to start {run.job_name}: {str(refusal)[:500]}")
        return str(launched["run"]["runId"])


@dataclass(frozen=True, slots=True)
class NoLauncher:
    """A launcher of an installation that serves the API without Dagster."""

    def launch(self, run: Run) -> str:
        """Refuse every run.

        Raises:
            LaunchError: always.
        """
        raise LaunchError(f"{run.job_name} cannot be started: this process serves the API without Dagster. Start it with Dagster.")
