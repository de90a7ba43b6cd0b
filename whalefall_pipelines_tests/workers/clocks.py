"""Processes whose clock is wrong. libfaketime 0.9.10 cannot be used: Python's `sleep` fails under it."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("skewed_clock.c")


def skewed_clock(folder: Path) -> Callable[[int], Mapping[str, str]]:
    """Builds, in this folder, what makes a clock wrong; the result is the environment of a process for so many seconds."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a wrong clock needs a C compiler: apt-get install gcc libc6-dev")
    library = folder / "skewed_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"], check=True, timeout=60)
    return lambda seconds: {"LD_PRELOAD": str(library), "SKEW_SECONDS": str(seconds)}
