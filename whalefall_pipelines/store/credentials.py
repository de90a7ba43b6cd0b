"""Stored passwords: references are resolved and ciphertexts decrypted when a connection is opened, never earlier.

A reference may only use what WHALEFALL_SECRET_VARIABLES and WHALEFALL_SECRET_FOLDERS allow, because anyone who may register a server could
otherwise have any file or variable sent to their own host. `secret_keys.py` has the keys. No message contains a password, and no exception
is chained to one that may contain a password.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.fernet import InvalidToken

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import InputError, LoginRejectedError
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.settings.model import PasswordSettings
from whalefall_pipelines.store.secret_keys import SecretKeys

_LARGEST_SECRET_BYTES = 64 * 1024  # a mounted secret is one line; a larger file is the wrong one
_SEALED = "encrypted:"


class SecretBox:
    """Encrypts passwords for the store, and decrypts them for a login. It is thread-safe."""

    def __init__(self, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
        """Read nothing yet. The key is read when the first password is encrypted or decrypted."""
        self.keys = SecretKeys(settings)
        self._environment = os.environ if environment is None else environment
        passwords = settings.of(PasswordSettings)
        self._variables = passwords.secret_variables
        self._folders = passwords.secret_folders or (Path("/run/secrets"), settings.home / "secrets", settings.home / "demo")

    def refusal(self, secret: str | None) -> str | None:
        """Why this reference is not allowed, as the second half of a sentence that does not repeat it; None if it is allowed."""
        kind, _, rest = (secret or "").partition(":")
        if kind == "env" and not rest.startswith(self._variables):
            return f"the name of its variable does not begin with one of {', '.join(self._variables)} (WHALEFALL_SECRET_VARIABLES)"
        if kind == "file" and not _is_inside(Path(os.path.normpath(rest)), self._folders):
            return f"its file is not in one of the folders {', '.join(map(str, self._folders))} (WHALEFALL_SECRET_FOLDERS)"
        return None

    def opens(self, secret: str) -> bool:
        """Tell whether the available keys can decrypt this password."""
        try:
            self._open(secret.removeprefix(_SEALED))
        except _UnresolvedError:
            return False
        return True

    def seal_again(self, secret: str) -> str:
        """The same password, encrypted with the first key.

        Raises:
            InvalidToken: no key can decrypt it.
        """
        return _SEALED + self.keys.fernet().rotate(secret.removeprefix(_SEALED)).decode()

    def seal(self, password: str) -> str:
        """Encrypt a password for the store.

        Raises:
            InputError: it is empty, contains a NUL character or is not UTF-8, or the key file is damaged.
        """
        if not password or "\0" in password or not _is_utf8(password):
            raise InputError("A password must not be empty, must not contain a NUL character and must be UTF-8; omit it if there is none.")
        self.keys.make_file()
        return _SEALED + self.keys.fernet().encrypt(password.encode()).decode()

    def reveal(self, secret: str | None, username: str, owner_name: str) -> Login:
        """The login with the decrypted secret. `owner_name` is the instance or credential for error messages.

        Raises:
            LoginRejectedError: it cannot be resolved; the message names the variable or the file, never its content.
        """
        if secret is None:
            return Login(username, None)
        try:
            password = self._resolve(secret)
        except _UnresolvedError as error:
            sentence = f"The password of {username!r} for {owner_name!r} cannot be read: {error}."
            raise LoginRejectedError(sentence, reason=Reason.SECRET_UNREADABLE) from None
        return Login(username, password)

    def resolve(self, reference: str, what: str) -> str:
        """The content of a reference, which is no login. `what` says what it is for error messages.

        Raises:
            InputError: it cannot be resolved; the message names the variable or the file, never its content.
        """
        try:
            return self._resolve(reference)
        except _UnresolvedError as error:
            raise InputError(f"The {what} cannot be read: {error}.") from None

    def _resolve(self, secret: str) -> str:
        if refusal := self.refusal(secret):
            raise _UnresolvedError(f"{refusal}; move it there, or ask whoever runs whalefall to extend that setting")
        kind, _, rest = secret.partition(":")
        if kind == "env":
            password, where = self._environment.get(rest, ""), f"environment variable {rest!r}"
        elif kind == "file":
            password, where = _read_secret_file(self._followed(rest)), f"file {rest!r}"
        elif kind == "encrypted":
            password, where = self._open(rest), "its encrypted text"
        else:
            raise _UnresolvedError("it is neither env:NAME, file:/PATH nor encrypted; set the password of the login again")
        if not password:
            advice = "set it here, and where Dagster's code server runs" if kind == "env" else "write the password into it"
            raise _UnresolvedError(f"{where} is {'not set or ' if kind == 'env' else ''}empty; {advice}")
        if "\0" in password:
            raise _UnresolvedError(f"{where} contains a NUL character, which is not allowed in a password; write the password again")
        if not _is_utf8(password):  # a driver would fail and quote the byte
            raise _UnresolvedError(f"{where} is not UTF-8 text; write the password again")
        return password

    def _followed(self, name: str) -> str:
        """Resolve links. The target must be inside the folders as well, as it is with container orchestrators."""
        path = Path(name).resolve()
        if not _is_inside(path, [folder.resolve() for folder in self._folders]):
            raise _UnresolvedError(
                f"file {name!r} is a link to a file outside the folders of WHALEFALL_SECRET_FOLDERS; put the password itself there"
            )
        return str(path)

    def _open(self, token: str) -> str:
        where = str(self.keys)
        try:
            return self.keys.fernet().decrypt(token).decode("utf-8", "surrogateescape")
        except InvalidToken:
            advice = "restore the key that it was encrypted with, or set the password of the login again"
            raise _UnresolvedError(f"it was encrypted with a different key than {where}; {advice}") from None
        except InputError as error:
            raise _UnresolvedError(str(error).removesuffix(".")) from None
        except OSError as error:
            raise _UnresolvedError(f"{where}, which is needed to decrypt it, cannot be read ({error.strerror}); restore it") from None


class _UnresolvedError(Exception):
    """Why a secret cannot be resolved, as the second half of a sentence."""


def is_sealed(secret: str | None) -> bool:
    """Tell whether a secret is an encrypted password instead of a reference."""
    return secret is not None and secret.startswith(_SEALED)


def _is_inside(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) and path != folder for folder in folders)


def _is_utf8(text: str) -> bool:
    """Tell whether a text is valid UTF-8. Python represents invalid bytes of the environment as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _read_secret_file(name: str) -> str:
    """The content of a file without its last line break. Other white space is part of the password."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK)  # otherwise opening a pipe would wait for a writer forever
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _UnresolvedError(f"{name!r} is not a regular file; use a file that contains only the password")
            content = os.read(descriptor, _LARGEST_SECRET_BYTES + 1)
        finally:
            os.close(descriptor)
        text = content.decode()
    except UnicodeDecodeError:
        raise _UnresolvedError(f"file {name!r} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        advice = "create it, and make it readable for the users that run this process and Dagster's processes"
        raise _UnresolvedError(f"file {name!r} cannot be read ({error.strerror}); {advice}") from None
    if len(content) > _LARGEST_SECRET_BYTES:
        raise _UnresolvedError(f"file {name!r} is too large for a password; use a file that contains only the password")
    return text[: -2 if text.endswith("\r\n") else -1] if text.endswith("\n") else text
