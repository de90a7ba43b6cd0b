"""Passwords at rest: references are resolved and ciphertexts opened when a connection is made, never before.

The key is WHALEFALL_SECRET_KEY, or the file `secret.key` in the home folder, made when the first password is sealed.
No message holds a password, and no cause is chained to one that might.
"""

import base64
import binascii
import os
import stat
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from whalefall_pipelines.domain.capacity import Reason
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.errors import InputError, LoginRejectedError
from whalefall_pipelines.settings import Settings

_LARGEST_SECRET_BYTES = 64 * 1024  # a mounted secret is one line; anything bigger is the wrong file
# A passphrase must give the same key on every machine, so its salt is fixed: it only voids tables made for other programs.
_SALT = b"whalefall_pipelines/secret-key/1"


class SecretBox:
    """Seals passwords for the store, and reveals them for a login. Safe to share between threads."""

    def __init__(self, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
        """Read nothing yet: the key is looked for when the first ciphertext is made or opened."""
        self._passphrase = settings.secret_key
        self._key_file = settings.home / "secret.key"
        self._environment = os.environ if environment is None else environment
        self._lock = threading.Lock()  # deriving a key takes 32 MiB: once, not once a thread
        self._fernet: Fernet | None = None

    def seal(self, password: str) -> str:
        """Encrypt a password for the store.

        Raises:
            InputError: it is empty, holds a NUL character or is not UTF-8, or the key file is damaged.
        """
        if not password or "\0" in password or not _is_utf8(password):
            raise InputError("A password that is empty, holds a NUL character or is not UTF-8 is refused; without one, leave it out.")
        if self._passphrase is None and not self._key_file.exists():
            _make_key_file(self._key_file)
        return f"encrypted:{self._key().encrypt(password.encode()).decode()}"

    def reveal(self, secret: str | None, username: str, owner_name: str) -> Login:
        """The login behind a secret; `owner_name` is the instance or credential that messages speak of.

        Raises:
            LoginRejectedError: it cannot be resolved; the sentence names the variable or the file, never what is in it.
        """
        if secret is None:
            return Login(username, None)
        try:
            password = self._resolve(secret)
        except _UnresolvedError as error:
            sentence = f"The password of {username!r} for {owner_name!r} cannot be read: {error}."
            raise LoginRejectedError(sentence, reason=Reason.SECRET_UNREADABLE) from None
        return Login(username, password)

    def _resolve(self, secret: str) -> str:
        kind, _, rest = secret.partition(":")
        if kind == "env":
            password, where = self._environment.get(rest, ""), f"environment variable {rest!r}"
        elif kind == "file":
            password, where = _read_secret_file(rest), f"file {rest!r}"
        elif kind == "encrypted":
            password, where = self._open(rest), "its encrypted text"
        else:
            raise _UnresolvedError("it is neither env:NAME, file:/PATH nor encrypted; give the login its password anew")
        if not password:
            advice = "set it here, and where Dagster's code server runs" if kind == "env" else "write the password into it"
            raise _UnresolvedError(f"{where} is {'not set or ' if kind == 'env' else ''}empty; {advice}")
        if "\0" in password:
            raise _UnresolvedError(f"{where} holds a NUL character, which no password has; write the password anew")
        if not _is_utf8(password):  # a driver would fail on it, and quote the byte
            raise _UnresolvedError(f"{where} is not UTF-8 text; write the password anew")
        return password

    def _open(self, token: str) -> str:
        where = "WHALEFALL_SECRET_KEY" if self._passphrase is not None else f"the key file {str(self._key_file)!r}"
        try:
            return self._key().decrypt(token).decode("utf-8", "surrogateescape")
        except InvalidToken:
            advice = "bring back the key that it was encrypted with, or give the login its password anew"
            raise _UnresolvedError(f"it was encrypted with another key than {where}; {advice}") from None
        except InputError as error:
            raise _UnresolvedError(str(error).removesuffix(".")) from None
        except OSError as error:
            raise _UnresolvedError(f"{where}, which opens it, cannot be read ({error.strerror}); bring it back") from None

    def _key(self) -> Fernet:
        with self._lock:
            if self._fernet is None:
                self._fernet = self._load_key()
            return self._fernet

    def _load_key(self) -> Fernet:
        if self._passphrase is not None:
            return _fernet_of(self._passphrase)
        try:
            return Fernet(self._key_file.read_bytes().strip())
        except (ValueError, binascii.Error):
            raise InputError(f"The key file {str(self._key_file)!r} is damaged; bring it back from a backup.") from None


class _UnresolvedError(Exception):
    """Why a secret does not become a password, as the second half of a sentence."""


def _is_utf8(text: str) -> bool:
    """Tell whether it is: bytes of the environment that are not are surrogates in Python's text."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _fernet_of(passphrase: str) -> Fernet:
    text = passphrase.encode("utf-8", "surrogateescape")
    try:
        return Fernet(text)
    except (ValueError, binascii.Error):
        key = Scrypt(salt=_SALT, length=32, n=2**15, r=8, p=1).derive(text)
        return Fernet(base64.urlsafe_b64encode(key))


def _make_key_file(path: Path) -> None:
    """Write the key beside its name and link it there: of two programs at once one wins, and nobody reads half a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".secret.key.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(name)
    except FileExistsError:
        return  # the other program was faster, and its key is everybody's
    finally:
        Path(name).unlink()


def _read_secret_file(name: str) -> str:
    """The file without its last line break; other white space belongs to the password."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe would wait for a writer for ever
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _UnresolvedError(f"{name!r} is no regular file; name one that holds the password alone")
            content = os.read(descriptor, _LARGEST_SECRET_BYTES + 1)
        finally:
            os.close(descriptor)
        text = content.decode()
    except UnicodeDecodeError:
        raise _UnresolvedError(f"file {name!r} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        advice = "put it there, readable to the user of this process and of Dagster's"
        raise _UnresolvedError(f"file {name!r} cannot be read ({error.strerror}); {advice}") from None
    if len(content) > _LARGEST_SECRET_BYTES:
        raise _UnresolvedError(f"file {name!r} is too big for a password; name one that holds the password alone")
    return text[: -2 if text.endswith("\r\n") else -1] if text.endswith("\n") else text
