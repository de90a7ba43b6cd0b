"""The keys of stored passwords: WHALEFALL_SECRET_KEY, or the file `secret.key` in the home folder. The first one encrypts, all decrypt.

There are several keys during a rotation (`inventory/replace_key.py`). `credentials.py` encrypts passwords with them.
"""

import base64
import binascii
import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.settings.model import PasswordSettings

# A passphrase must give the same key on every machine, so the salt is fixed. It only protects against tables made for other programs.
_SALT = b"whalefall_pipelines/secret-key/1"


class SecretKeys:
    """The keys of this installation, read on first use. It is thread-safe."""

    def __init__(self, settings: Settings) -> None:
        """Read nothing yet."""
        self._passphrases = settings.of(PasswordSettings).secret_key
        self._file = settings.home / "secret.key"
        self._lock = threading.Lock()  # deriving a key takes 32 MiB, so it is done once and not in every thread
        self._fernet: MultiFernet | None = None

    @property
    def is_file(self) -> bool:
        """Tell whether the keys are in the key file instead of the environment."""
        return self._passphrases is None

    @property
    def is_several(self) -> bool:
        """Tell whether WHALEFALL_SECRET_KEY has more than one key."""
        return "," in (self._passphrases or "")

    def __str__(self) -> str:
        """Where the keys are, for messages."""
        return f"the key file {str(self._file)!r}" if self.is_file else "WHALEFALL_SECRET_KEY"

    def fernet(self) -> MultiFernet:
        """A cipher that encrypts with the first key and decrypts with any key.

        Raises:
            InputError: the key file is damaged.
            OSError: it cannot be read.
        """
        with self._lock:
            if self._fernet is None:
                self._fernet = MultiFernet(self._load())
            return self._fernet

    def make_file(self) -> None:
        """Create the key file if one is used and missing. It is created atomically, and only one of two concurrent programs creates it."""
        if self.is_file and not self._file.exists():
            name = self._write_aside([Fernet.generate_key()])
            try:
                self._file.hardlink_to(name)
            except FileExistsError:
                return  # another program was faster, and its key is used
            finally:
                name.unlink()

    def add_to_file(self) -> None:
        """Add a new key before the existing ones, which can still decrypt."""
        self._replace_file([Fernet.generate_key(), *self._lines()])

    def keep_first_in_file(self) -> None:
        """Remove every key except the first from the file."""
        self._replace_file(self._lines()[:1])

    def _load(self) -> list[Fernet]:
        if self._passphrases is not None:
            passphrases = self._passphrases.split(",")
            # An older passphrase may contain a comma, because several keys were not supported.
            return [
                _fernet_of(passphrase.strip())
                for passphrase in [*passphrases, *([self._passphrases] if len(passphrases) > 1 else [])]
                if passphrase.strip()
            ]
        try:
            return [Fernet(line) for line in self._lines()]
        except (ValueError, binascii.Error):
            raise self._damaged() from None

    def _lines(self) -> list[bytes]:
        lines = [line.strip() for line in self._file.read_bytes().splitlines() if line.strip()]
        if not lines:
            raise self._damaged()
        return lines

    def _damaged(self) -> InputError:
        return InputError(f"The key file {str(self._file)!r} is damaged; restore it from a backup.")

    def _replace_file(self, lines: Sequence[bytes]) -> None:
        with self._lock:
            self._write_aside(lines).replace(self._file)
            folder = os.open(self._file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # after a power failure the store must not be newer than the file
            finally:
                os.close(folder)
            self._fernet = None

    def _write_aside(self, lines: Sequence[bytes]) -> Path:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._file.parent, prefix=".secret.key.")  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        return Path(name)


def _fernet_of(passphrase: str) -> Fernet:
    text = passphrase.encode("utf-8", "surrogateescape")
    try:
        return Fernet(text)
    except (ValueError, binascii.Error):
        key = Scrypt(salt=_SALT, length=32, n=2**15, r=8, p=1).derive(text)
        return Fernet(base64.urlsafe_b64encode(key))
