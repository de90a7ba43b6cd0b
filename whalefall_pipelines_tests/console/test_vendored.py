"""The libraries of other people are those that `VENDORED.toml` names, byte by byte."""

import hashlib
import tomllib
from pathlib import Path

import whalefall_pipelines.console

VENDORED = Path(whalefall_pipelines.console.__file__).parent / "static" / "vendor"


def test_vendored_files_are_unchanged_and_licensed() -> None:
    libraries = tomllib.loads((VENDORED / "VENDORED.toml").read_text())
    stated = {f"{name}/{file}": digest for name, library in libraries.items() for file, digest in library["sha256"].items()}
    present = {
        path.relative_to(VENDORED).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDORED.glob("*/*")
        if path.is_file()
    }
    assert present == stated
    assert all(library["version"] and library["licence"] and f"{name}/LICENSE" in stated for name, library in libraries.items())
