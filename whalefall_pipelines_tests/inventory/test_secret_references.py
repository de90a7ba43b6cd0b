"""What a secret may refer to, and how the key of the stored ones is rotated, through the commands."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from whalefall_pipelines.errors import InputError, LoginRejectedError
from whalefall_pipelines.inventory.replace_key import seal_all_again
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall
from whalefall_pipelines_tests.cli.trees import WHALEFALL, Home, eventually
from whalefall_pipelines_tests.factories import query, register

# Nothing listens there, and all of them have the same address.
ADD = ("instances", "add", "--engine", "postgresql", "--host", "127.0.0.1", "--port", "1", "--username", "u", "--replica", "--offline")
OUT_OF_BOUNDS = (
    "env:WHALEFALL_SECRET_KEY",
    "env:WHALEFALL_DATABASE_URL",
    "env:DAGSTER_HOME",
    "env:PATH",
    "env:hunter2canary",
    "file:/etc/shadow",
    "file:/proc/self/environ",
    "file:{home}/secret.key",
    "file:{home}/settings.env",
    "file:{home}/secrets/../secret.key",
    "file:{home}/secrets",
)


@pytest.fixture
def environment(store_environment: dict[str, str]) -> dict[str, str]:
    """The environment of a person who has set nothing."""
    del store_environment["WHALEFALL_SECRET_FOLDERS"]
    return store_environment


@pytest.mark.parametrize("form", OUT_OF_BOUNDS)
def test_a_reference_out_of_bounds_is_refused_where_it_is_made_and_where_it_is_used(
    store: Database, environment: dict[str, str], tmp_path: Path, form: str
) -> None:
    secret = form.format(home=environment["WHALEFALL_HOME"])
    setting = f"WHALEFALL_SECRET_{'VARIABLES' if secret.startswith('env') else 'FOLDERS'}"
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(f"- {{name: a, engine: mysql, host: h, username: u, secret: '{secret}'}}")
    for command in ((*ADD, "a", "--secret", secret), ("instances", "import", "--yes", str(fleet))):
        sentence = refused(environment, *command)
        assert setting in sentence
        assert secret not in sentence
    register(store, "a")
    with store.transaction() as cursor:
        cursor.execute("update credentials set secret = %s", (secret,))
    for command in (("instances", "test"), ("collect", "--instance", "a")):
        result = whalefall(environment, *command)
        assert (result.exit_code, setting in result.output) == (2, True), result.output


def test_a_link_out_of_the_folder_is_not_followed(environment: dict[str, str]) -> None:
    folder = Path(environment["WHALEFALL_HOME"]) / "secrets"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "..data").write_text("x")
    (folder / "mounted").symlink_to("..data")
    box = SecretBox(load_settings(environment))
    assert box.reveal(f"file:{folder / 'mounted'}", "u", "a").password == "x"
    with pytest.raises(LoginRejectedError, match="a link to a file outside"):
        box.reveal(f"file:{folder / 'link'}", "u", "a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("WHALEFALL_SECRET_VARIABLES", value) for value in (",", "MONITOR_,", "WHALEFALL_", "WHALEFALL_SECRET", "DAGSTER_", "*")),
        *(("WHALEFALL_SECRET_FOLDERS", value) for value in ("/", "relative", ":", "/run/secrets:")),
    ],
)
def test_bounds_that_are_none_are_refused(name: str, value: str) -> None:
    with pytest.raises(InputError, match=name):
        load_settings({name: value})


@pytest.fixture
def sealed(store: Database, environment: dict[str, str]) -> Callable[[dict[str, str]], list[str | None]]:
    """Registers two encrypted passwords, and reads them as a newly started process does."""
    for name in ("a", "b"):
        succeed(environment, *ADD, name, "--password-prompt", typed=f"password of {name}\n")

    def read(environment: dict[str, str]) -> list[str | None]:
        box = SecretBox(load_settings(environment))
        return [box.reveal(str(secret), "u", "a").password for (secret,) in query(store, "select secret from credentials order by name")]

    return read


PASSWORDS = ["password of a", "password of b"]


def test_another_key_is_refused_with_one_sentence(
    environment: dict[str, str], sealed: Callable[[dict[str, str]], list[str | None]]
) -> None:
    assert sealed(environment) == PASSWORDS
    for other in ({"WHALEFALL_SECRET_KEY": "another"}, {"WHALEFALL_HOME": f"{environment['WHALEFALL_HOME']}-another"}):
        changed = environment | other
        for command in (("collect",), ("collect", "--instance", "a"), ("instances", "test")):
            assert "encrypted with" in refused(changed, *command), command
        refused(changed, "store", "rotate-key", "--yes")
        assert "a different key" in refused(changed, *ADD, "c", "--password-prompt", typed="x\n")
    assert not Path(f"{environment['WHALEFALL_HOME']}-another").exists()
    assert sealed(environment) == PASSWORDS


def test_the_key_file_is_replaced_and_the_old_key_opens_nothing(
    store: Database, environment: dict[str, str], sealed: Callable[[dict[str, str]], list[str | None]]
) -> None:
    key_file = Path(environment["WHALEFALL_HOME"]) / "secret.key"
    old = key_file.read_bytes().strip()
    changed = query(store, "select updated_at from credentials order by name")
    succeed(environment, "store", "rotate-key", "--yes")
    assert sealed(environment) == PASSWORDS
    assert query(store, "select updated_at from credentials order by name") == changed, "a rejected login would be tried again"
    assert old not in key_file.read_bytes()
    assert (len(key_file.read_bytes().split()), key_file.stat().st_mode & 0o777) == (1, 0o600)
    assert [path.name for path in key_file.parent.iterdir()] == ["secret.key"]
    with pytest.raises(LoginRejectedError):
        sealed(environment | {"WHALEFALL_SECRET_KEY": old.decode()})


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_interruption_after_any_step_loses_nothing(
    store: Database, environment: dict[str, str], sealed: Callable[[dict[str, str]], list[str | None]], steps: int
) -> None:
    box = SecretBox(load_settings(environment))
    for step in (box.keys.add_to_file, partial(seal_all_again, store, box), box.keys.keep_first_in_file)[:steps]:
        step()
    assert sealed(environment) == PASSWORDS
    succeed(environment, *ADD, "c", "--password-prompt", typed="password of c\n")
    succeed(environment, "store", "rotate-key", "--yes")
    assert sealed(environment) == [*PASSWORDS, "password of c"]
    assert len((Path(environment["WHALEFALL_HOME"]) / "secret.key").read_bytes().split()) == 1


@pytest.mark.process
def test_a_rotation_that_is_killed_in_the_middle_loses_nothing(
    store: Database, environment: dict[str, str], sealed: Callable[[dict[str, str]], list[str | None]]
) -> None:
    home = Home(Path(environment["WHALEFALL_HOME"]), environment)
    key_file = home.folder / "secret.key"
    before = query(store, "select secret from credentials order by name")
    with store.transaction() as cursor:
        cursor.execute("lock table credentials in share mode")  # reading continues, writing waits
        cursor.send()
        process = subprocess.Popen([*WHALEFALL, "store", "rotate-key", "--yes"], env=home.environment, stderr=subprocess.DEVNULL)
        try:
            assert eventually(lambda: len(key_file.read_bytes().split()) == 2)
        finally:
            process.kill()
            process.wait(10)
    assert query(store, "select secret from credentials order by name") == before
    assert sealed(environment) == PASSWORDS
    assert eventually(lambda: query(store, "select 1 from pg_locks where locktype = 'advisory'") == [])
    succeed(environment, "store", "rotate-key", "--yes")
    assert sealed(environment) == PASSWORDS
    assert len(key_file.read_bytes().split()) == 1


@pytest.mark.parametrize("new", ["a new passphrase", "bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleS4="])
def test_a_key_of_the_environment_is_replaced_by_naming_both(
    environment: dict[str, str], sealed: Callable[[dict[str, str]], list[str | None]], new: str
) -> None:
    old = (Path(environment["WHALEFALL_HOME"]) / "secret.key").read_text().strip()
    assert "set it to NEW,OLD" in refused(environment | {"WHALEFALL_SECRET_KEY": old}, "store", "rotate-key", "--yes")
    both = environment | {"WHALEFALL_SECRET_KEY": f"{new},{old}"}
    assert sealed(both) == PASSWORDS
    succeed(both, "store", "rotate-key", "--yes")
    assert sealed(both) == sealed(environment | {"WHALEFALL_SECRET_KEY": new}) == PASSWORDS


def test_a_passphrase_with_a_comma_opens_what_it_sealed_before_there_could_be_several(tmp_path: Path) -> None:
    home = {"WHALEFALL_HOME": str(tmp_path)}
    alone = SecretBox(load_settings(home | {"WHALEFALL_SECRET_KEY": "one,two"}))
    whole = alone.keys._load()[-1]
    token = "encrypted:" + whole.encrypt(b"x").decode()
    assert alone.reveal(token, "u", "a").password == "x"
