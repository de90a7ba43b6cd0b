"""The web process of the benchmarks, as `whalefall-web` runs it."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.crowd import peak_mebibytes

_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class WebProcess:
    """The address of the API of a web process, and the id of the process."""

    url: str
    pid: int

    @property
    def root(self) -> str:
        """Where the console is."""
        return self.url.removesuffix("/api/v1")

    def peak_mebibytes(self) -> float:
        """The peak memory of the process until now."""
        return peak_mebibytes(str(self.pid))


@contextmanager
def web_process(store: Database, folder: Path, variables: Mapping[str, str] = MappingProxyType({})) -> Generator[WebProcess]:
    """`whalefall-web` over a store, whose readers may ask as often as they like, with further `variables`."""
    port = free_port("127.0.0.1")
    address = store.url.render_as_string(hide_password=False)
    environment = {
        **os.environ,
        "WHALEFALL_HOME": str(folder),
        "WHALEFALL_DATABASE_URL": address,
        "WHALEFALL_API_READS_PER_SECOND": "1000000",
        **variables,
    }
    del environment["WHALEFALL_TIMEZONE"]  # that of the tests is not that of this store
    command = [sys.executable, "-m", "whalefall_pipelines.gate", "--port", str(port)]
    with subprocess.Popen(command, env=environment) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _answers(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            yield WebProcess(f"http://127.0.0.1:{port}/api/v1", process.pid)
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False
