"""The encryption key of the stored passwords: checks that it is the right one, and rotates it.

A rotation has three steps: the new key is added before the old one, every password is encrypted again in one transaction, and the old
key is removed. After any interruption there is a key that decrypts every password, and running it again completes the rotation.
"""

from collections.abc import Sequence

from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.registration import CredentialEntry
from whalefall_pipelines.inventory.store.instances import lock_fleet, read_fleet, replace_secrets
from whalefall_pipelines.sessions.refuse_while_running import refuse_while_running
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox, is_sealed
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.secret_keys import SecretKeys


def refuse_other_key(settings: Settings, database: Database) -> None:
    """Refuse the key of this installation if it decrypts none of the stored passwords.

    Raises:
        InputError: there are stored passwords, and the key decrypts none of them.
    """
    secrets = SecretBox(settings)
    with database.transaction() as cursor:
        sealed = _sealed(cursor)
    if sealed and not any(secrets.opens(credential.secret or "") for credential in sealed):
        raise InputError(
            f"The {counted(len(sealed), 'password in this store was', 'passwords in this store were')} encrypted with a different key "
            f"than {secrets.keys}: restore that key (WHALEFALL_SECRET_KEY, or secret.key in the home folder)."
        )


def replace_key(settings: Settings, database: Database) -> tuple[int, SecretKeys]:
    """Encrypt every stored password with a new key; return how many there are, and the keys.

    Raises:
        InputError: a session is running, a password cannot be decrypted, or WHALEFALL_SECRET_KEY has no new key; nothing is changed.
    """
    secrets = SecretBox(settings)
    keys = secrets.keys
    if not (keys.is_file or keys.is_several):
        raise InputError(
            "The key is in WHALEFALL_SECRET_KEY: set it to NEW,OLD (the new key, a comma, the old key) wherever whalefall and Dagster "
            "run, restart them, and run this command again. Remove the old key afterwards."
        )
    with database.transaction() as holding:  # until the last step, so that no password is sealed with the old key meanwhile
        lock_fleet(holding)
        refuse_while_running(database)
        _refuse_unreadable(_sealed(holding), secrets)
        keys.make_file()
        if keys.is_file:
            keys.add_to_file()
        count = seal_all_again(database, secrets)
        if keys.is_file:
            keys.keep_first_in_file()
    return count, keys


def seal_all_again(database: Database, secrets: SecretBox) -> int:
    """Encrypt every stored password with the first key, all or none of them; return how many there are."""
    with database.transaction() as cursor:
        return replace_secrets(
            cursor,
            {credential.name: (credential.secret or "", secrets.seal_again(credential.secret or "")) for credential in _sealed(cursor)},
        )


def _sealed(cursor: Cursor) -> list[CredentialEntry]:
    credentials, _ = read_fleet(cursor)
    return [credential for credential in credentials if is_sealed(credential.secret)]


def _refuse_unreadable(sealed: Sequence[CredentialEntry], secrets: SecretBox) -> None:
    unreadable = [credential.name for credential in sealed if not secrets.opens(credential.secret or "")]
    if unreadable:
        raise InputError(
            f"{secrets.keys} cannot decrypt the passwords of {', '.join(map(repr, unreadable))}, so nothing was changed: restore the key "
            "that they were encrypted with, or set the passwords of these logins again."
        )
