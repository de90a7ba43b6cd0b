"""Creates a PostgreSQL cluster: data directory and password. `postgresql.py` starts and stops it."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.private_server import writing
from whalefall_pipelines.runtime.local_servers.unprivileged import RunAs, run_as

INITDB_SECONDS = 300


def make_cluster(bin_dir: Path, folder: Path, superuser: str, options: Sequence[str]) -> None:
    """Create `folder/data`, with a random password in `folder/pgpass` that every connection needs.

    It is created under another name first, so that the next attempt can discard the remains of an interrupted one.

    Raises:
        LocalServerError: the folder cannot be written, or initdb failed; nothing incomplete is left.
    """
    data, partial, password_file = folder / "data", folder / "data.partial", folder / "password.partial"
    identity = run_as(data)
    with writing(folder):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        password = secrets.token_hex(16)
        _write_private(password_file, password)
        _write_private(folder / "pgpass", f"*:*:*:{superuser}:{password}\n")
        identity.own((folder, partial, password_file))
    command = [str(bin_dir / "initdb"), "-D", str(partial), "-U", superuser, "-A", "scram-sha-256", f"--pwfile={password_file}"]
    try:
        _run_initdb([*command, "-E", "UTF8", "--locale=C", *options], folder, identity)
        with writing(folder):
            partial.rename(data)
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(partial, ignore_errors=True)


def _run_initdb(command: Sequence[str], folder: Path, identity: RunAs) -> None:
    try:
        result = subprocess.run(
            [*identity.prefix, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=INITDB_SECONDS,
            cwd="/",
            **identity.credentials,
        )
    except subprocess.TimeoutExpired as error:
        raise LocalServerError(f"initdb in {folder} did not finish within {INITDB_SECONDS} s.") from error
    except OSError as error:
        raise LocalServerError(f"{command[0]} cannot be run: {error.strerror}.{identity.advice}") from error
    if result.returncode != 0:
        message = " | ".join((result.stderr or result.stdout).strip().splitlines()[-2:])
        raise LocalServerError(f"initdb in {folder} failed: {message}.{identity.advice}")


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
