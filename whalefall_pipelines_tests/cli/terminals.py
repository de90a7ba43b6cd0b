"""Runs `whalefall` in a terminal, as people do: standard input and output are a terminal, and questions are answered."""

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

from whalefall_pipelines_tests.cli.trees import WHALEFALL, Home


def at_a_terminal(
    environment: dict[str, str], tmp_path: Path, *arguments: str, typed: str, meanwhile: Callable[[], object] = lambda: None
) -> tuple[int, str]:
    """The exit code of a command, and its output; `meanwhile` is called while it waits for the answer."""
    ours, theirs = pty.openpty()
    try:
        home = Home(tmp_path / "home", environment)
        process = subprocess.Popen(
            [*WHALEFALL, *arguments], env=home.environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        shown = b""
        answered = False
        try:
            while chunk := _read(ours):
                shown += chunk
                if not answered and shown.rstrip().endswith(b":"):
                    answered = True
                    meanwhile()
                    os.write(ours, typed.encode())
            return process.wait(30), shown.decode()
        finally:
            process.kill()
            process.wait(30)
    finally:
        os.close(ours)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux raises EIO when the other end is closed
        return b""
