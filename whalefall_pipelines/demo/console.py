"""The demo's web process: the console and the API over the store of this home, in the background like the demo's servers."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx
import psutil

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.private_server import PrivateServer, writing
from whalefall_pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class DemoConsole(PrivateServer):
    """`whalefall-web` without Dagster over the installation of these settings, in `folder` (log, port, lock)."""

    product: ClassVar[str] = "Console"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    settings: Settings
    folder: Path
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """Its address.

        Raises:
            LocalServerError: it was never started.
        """
        return f"http://{self.host}:{self.port}"

    def process_id(self) -> int | None:
        """The process id of the running server, or None. A stale pid file is ignored, even if another program now has its number."""
        try:
            process = psutil.Process(int((self.folder / "pid").read_text()))
            words = self._words(self.port)
            return process.pid if process.cmdline()[-len(words) :] == words else None
        except (OSError, ValueError, LocalServerError, psutil.Error):
            return None

    def _prepare(self) -> None:
        """Nothing: the store is opened by whoever starts it."""

    def _command(self, port: int) -> Sequence[str]:
        # In its folder, so that `whalefall uninstall` knows it as a process of this home.
        paths = {"WHALEFALL_HOME": self.settings.home, **self.settings.paths()}
        variables = [f"{name}={path}" for name, path in paths.items()]
        return ["env", f"--chdir={self.folder}", *variables, sys.executable, "-m", *self._words(port)]

    def _words(self, port: int) -> list[str]:
        return ["whalefall_pipelines.gate", "--host", self.host, "--port", str(port)]

    def _note(self, process_id: int) -> None:
        with writing(self.folder):
            (self.folder / "pid").write_text(str(process_id))

    def _is_ready(self, process_id: int) -> bool:  # noqa: ARG002 - the port was free before
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1, trust_env=False).is_success
        except httpx.HTTPError:
            return False
