"""The client: one method for each question, lists that follow their cursors, and frames for notebooks."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

from whalefall_pipelines.errors import WhalefallError

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
MOST_ROWS = 200
_SECONDS = 60.0


class ApiError(WhalefallError):
    """The API refused a request. `status`, `message_code`, `error_id` and `suggestions` come from its answer.

    The status is 0 if it did not answer.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"The server answered with {status}."))
        self.status = status
        self.message_code = str(problem.get("message_code", ""))
        self.error_id = str(problem.get("error_id", ""))
        self.suggestions: Sequence[str] = problem.get("suggestions", ())


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of the API. Iterating follows its cursor to the end; `frame()` makes a pandas frame of all rows."""

    client: "Client"
    path: str
    parameters: Mapping[str, Any]

    def __iter__(self) -> Iterator[Row]:
        """Every row, page by page."""
        parameters = {"limit": MOST_ROWS, **self.parameters}
        while True:
            page = self.client.get(self.path, **parameters)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            parameters["cursor"] = page["next_cursor"]

    def frame(self) -> "pd.DataFrame":
        """All rows as a pandas frame: days and instants are datetimes, bytes are integers that can be missing.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas as pd  # noqa: PLC0415 - an extra

        frame = pd.DataFrame(list(self))
        for name in frame.columns:
            if name.endswith(("_date", "_start", "_end", "_at")):
                frame[name] = pd.to_datetime(frame[name])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            elif name.endswith("_bytes"):
                frame[name] = frame[name].astype("Int64")  # pyright: ignore[reportUnknownMemberType]
        return frame


class Client:
    """A connection to an installation of whalefall, with the token that `whalefall tokens create` printed."""

    def __init__(self, url: str, token: str, *, timeout_seconds: float = _SECONDS) -> None:
        """Open no connection yet."""
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=timeout_seconds
        )

    def __enter__(self) -> Self:
        """Use it for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """The data of a reading route, such as `get("/sessions")`. Parameters that are None are left out.

        Raises:
            ApiError: the request was refused.
        """
        return self._data(self._send("GET", path, params=_given(parameters)))

    def rows(self, path: str, **filters: Any) -> Rows:
        """The rows of a list, such as `rows("/sessions")`."""
        return Rows(self, path, filters)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None) -> Any:
        """The data of an action. With the same key a repetition does nothing, and has the answer of the first request.

        Raises:
            ApiError: the request was refused.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._data(self._send("POST", path, json=dict(body or {}), headers=headers))

    def delete(self, path: str) -> Any:
        """The data of an action that ends something.

        Raises:
            ApiError: the request was refused.
        """
        return self._data(self._send("DELETE", path))

    def me(self) -> Row:
        """Who this token is, and what it allows."""
        return self.get("/me")

    def instances(self, **filters: Any) -> Rows:
        """The registered servers."""
        return self.rows("/instances", **filters)

    def database_sizes(self, **filters: Any) -> Rows:
        """Sizes of databases by day: instance_id, engine, tag, database_name, start_date, end_date, time_range, latest_only."""
        return self.rows("/databases/sizes", **filters)

    def database_periods(self, **filters: Any) -> Rows:
        """Periods of databases: period_type and the filters of sizes."""
        return self.rows("/capacity/databases", **filters)

    def instance_periods(self, **filters: Any) -> Rows:
        """Periods of servers: period_type, instance_id, engine, tag, start_date, end_date."""
        return self.rows("/capacity/instances", **filters)

    def coverage(self, **filters: Any) -> Rows:
        """How much is known of each server on each day."""
        return self.rows("/coverage", **filters)

    def gaps(self, **filters: Any) -> Rows:
        """What is missing, and why."""
        return self.rows("/gaps", **filters)

    def runway(self, *, most: int = 20, with_all: bool = False) -> Row:
        """The days until limits are reached, the nearest first, in `rows`; `with_all` also what has no limit."""
        return self.get("/runway", most=most, with_all=with_all)

    def forecasts(self, **filters: Any) -> Rows:
        """Forecasts of a day, by default the newest: day, instance_id, engine, tag, database_name."""
        return self.rows("/forecasts", **filters)

    def forecast_scores(self, *, days: int = 90, most: int = 10) -> Row:
        """What forecasts about the last days promised and what came: `reliability` and `outcomes`."""
        return self.get("/forecasts/score", days=days, most=most)

    def sessions(self, **filters: Any) -> Rows:
        """Sessions: sync_category, sync_type, status."""
        return self.rows("/sessions", **filters)

    def explain(self, instance_id: int, database_name: str, day: date) -> Row:
        """Why the size of a database on a day is what it is."""
        return self.get("/explain", instance_id=instance_id, database_name=database_name, day=day.isoformat())

    def register(self, name: str, engine: str, host: str, **fields: Any) -> Row:
        """Register a server. `secret` is a reference such as env:NAME on the server of whalefall."""
        return self.post("/instances", {"name": name, "engine": engine, "host": host, **fields})

    def test(self, instance_id: int) -> Row:
        """Test the connection to a server."""
        return self.post(f"/instances/{instance_id}/actions/test")

    def collect(self, instance_id: int) -> Row:
        """Collect today's sizes of a server at once."""
        return self.post(f"/instances/{instance_id}/actions/sync-capacity")

    def session(self, session_id: str) -> Row:
        """A session, or the run that will open it."""
        return self.get(f"/sessions/{quote(session_id, safe='')}")

    def cancel(self, session_id: str) -> Row:
        """Cancel a running session."""
        return self.post(f"/sessions/{quote(session_id, safe='')}/actions/cancel")

    def export(self, dataset: str, accept: str = "application/x-ndjson", **filters: Any) -> Iterator[bytes]:
        """An export in pieces: database_sizes, instance_sizes, coverage, gaps or aggregations.

        Raises:
            ApiError: the request was refused.
        """
        path = f"/export/{quote(dataset, safe='')}"
        with self._http.stream("GET", path, params=_given(filters), headers={"Accept": accept}) as response:
            if response.is_error:
                response.read()
                self._data(response)
            yield from response.iter_bytes()

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            while True:
                response = self._http.request(method, path, **options)
                if response.status_code != 429 or method != "GET":
                    return response
                time.sleep(min(float(response.headers.get("Retry-After", 1)), _SECONDS))  # a long list is slowed down, not refused
        except httpx.TransportError as error:
            raise ApiError(0, {"detail": f"{self._http.base_url} does not answer: {error}."}) from error

    def _data(self, response: httpx.Response) -> Any:
        try:
            document = response.json()
        except ValueError:
            raise ApiError(response.status_code, {"detail": f"{response.url} is not the API of whalefall."}) from None
        if response.is_error:
            raise ApiError(response.status_code, document)
        return document["data"]


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    query = {name: value for name, value in parameters.items() if value is not None}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in query.items()}
