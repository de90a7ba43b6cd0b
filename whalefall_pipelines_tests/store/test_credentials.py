"""Secrets are resolved when they are needed, and errors do not contain them."""

import base64
import os
import stat
import traceback
from functools import partial
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import InputError, LoginRejectedError
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines_tests.at_once import at_once

SECRET = "hunter2-canary"
FERNET_KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


def secret_box(home: Path, key: str | None = None, **environment: str) -> SecretBox:
    variables = {"WHALEFALL_HOME": str(home), "WHALEFALL_SECRET_FOLDERS": str(home)} | ({"WHALEFALL_SECRET_KEY": key} if key else {})
    return SecretBox(load_settings(variables), environment)


def refusal(box: SecretBox, secret: str) -> str:
    with pytest.raises(LoginRejectedError) as caught:
        box.reveal(secret, "monitor", "db 1")
    assert caught.value.reason == Reason.SECRET_UNREADABLE
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "'db 1'" in str(caught.value)
    return str(caught.value)


def test_a_login_without_a_secret_has_no_password(tmp_path: Path) -> None:
    login = secret_box(tmp_path).reveal(None, "monitor", "db")
    assert (login.username, login.password) == ("monitor", None)


def test_a_password_comes_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    login = secret_box(tmp_path, MONITOR_=SECRET).reveal("env:MONITOR_", "monitor", "db")
    assert login.password == SECRET
    assert SECRET not in repr(login)


@pytest.mark.parametrize(
    ("content", "password"),
    [(b"p\n", "p"), (b"p", "p"), (b"p\r\n", "p"), (b"p\n\n", "p\n"), (b" p \n", " p "), (b"p\r", "p\r"), ("pä🐋\n".encode(), "pä🐋")],
)
def test_a_password_file_loses_one_line_break_and_nothing_else(tmp_path: Path, content: bytes, password: str) -> None:
    path = tmp_path / "secret: with colon"
    path.write_bytes(content)
    assert secret_box(tmp_path).reveal(f"file:{path}", "monitor", "db").password == password


def test_a_password_file_may_be_a_link_as_orchestrators_mount_it(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(SECRET)
    (tmp_path / "link").symlink_to("real")
    assert secret_box(tmp_path).reveal(f"file:{tmp_path / 'link'}", "monitor", "db").password == SECRET


def test_what_cannot_be_resolved_is_one_sentence_that_names_the_place(tmp_path: Path) -> None:
    box = secret_box(tmp_path, MONITOR_EMPTY="", MONITOR_ZERO=f"{SECRET}\0", MONITOR_LATIN=f"{SECRET}\udce9")
    assert "'MONITOR_NOT_SET' is not set" in refusal(box, "env:MONITOR_NOT_SET")
    assert "'MONITOR_EMPTY'" in refusal(box, "env:MONITOR_EMPTY")
    assert "NUL" in refusal(box, "env:MONITOR_ZERO")
    assert "'MONITOR_LATIN' is not UTF-8 text" in refusal(box, "env:MONITOR_LATIN")
    assert f"'{tmp_path / 'gone'}' cannot be read (No such file" in refusal(box, f"file:{tmp_path / 'gone'}")
    assert "neither" in refusal(box, SECRET)


def test_files_that_hold_no_password_are_refused(tmp_path: Path) -> None:
    box = secret_box(tmp_path)
    for name, content in {"binary": b"\xff\xfe" + SECRET.encode(), "empty": b"", "newline": b"\n", "big": SECRET.encode() * 10_000}.items():
        (tmp_path / name).write_bytes(content)
        assert f"'{tmp_path / name}'" in refusal(box, f"file:{tmp_path / name}")
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(box, f"file:{tmp_path / 'pipe'}")
    (tmp_path / "folder").mkdir()
    assert "not a regular file" in refusal(box, f"file:{tmp_path / 'folder'}")


@pytest.mark.parametrize("key", [None, FERNET_KEY, "any passphrase", "ä"])
def test_a_sealed_password_is_opened_by_the_same_key_only(tmp_path: Path, key: str | None) -> None:
    secret = secret_box(tmp_path, key).seal(SECRET)
    assert secret.startswith("encrypted:")
    assert SECRET not in secret
    assert secret_box(tmp_path, key).reveal(secret, "monitor", "db").password == SECRET
    assert "a different key than WHALEFALL_SECRET_KEY" in refusal(secret_box(tmp_path, "other"), secret)


def test_the_key_file_is_made_at_the_first_sealing_for_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    box = secret_box(home)
    assert not home.exists()
    box.seal(SECRET)
    assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["secret.key"]


def test_no_key_file_is_made_when_there_is_a_key_or_nothing_to_seal(tmp_path: Path) -> None:
    secret = secret_box(tmp_path, "key").seal(SECRET)
    assert "secret.key" in refusal(secret_box(tmp_path), secret)
    assert list(tmp_path.iterdir()) == []


def test_programs_that_seal_at_once_share_one_key(tmp_path: Path) -> None:
    sealed = at_once(*(partial(secret_box(tmp_path).seal, SECRET) for _ in range(8)))
    assert {secret_box(tmp_path).reveal(secret, "monitor", "db").password for secret in sealed} == {SECRET}
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_lost_or_damaged_key_is_reported_and_never_replaced(tmp_path: Path) -> None:
    secret = secret_box(tmp_path).seal(SECRET)
    key_file = tmp_path / "secret.key"
    key_file.write_text("damaged")
    assert "damaged" in refusal(secret_box(tmp_path), secret)
    with pytest.raises(InputError, match="damaged"):
        secret_box(tmp_path).seal(SECRET)
    key_file.write_bytes(Fernet.generate_key())
    assert "a different key" in refusal(secret_box(tmp_path), secret)
    key_file.unlink()
    assert "restore it" in refusal(secret_box(tmp_path), secret)
    assert not key_file.exists()


@pytest.mark.parametrize("password", ["", "a\0b", "caf\udce9"])
def test_an_invalid_password_is_not_encrypted(tmp_path: Path, password: str) -> None:
    with pytest.raises(InputError, match="password"):
        secret_box(tmp_path).seal(password)
