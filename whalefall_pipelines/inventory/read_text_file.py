"""Reads a text file that the user named; the caller parses it."""

from pathlib import Path

from whalefall_pipelines.errors import InputError, NotFoundError


def read_text_file(path: Path) -> str:
    """The text of a UTF-8 file, without the byte order mark that spreadsheets write.

    Raises:
        NotFoundError: there is no such file.
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {str(path)!r}.") from None
    except OSError as error:
        raise InputError(f"The file {str(path)!r} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:  # not chained, because it contains the file's bytes
        raise InputError(f"The file {str(path)!r} is not UTF-8 text; save it as UTF-8.") from None
