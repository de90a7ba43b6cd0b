"""Archives a month in a Parquet file with a manifest, verifies that it reads back to the same rows, and restores it.

Between the store and Parquet, the rows are CSV in a temporary file. `maintain_table_partitions.py` decides which months are archived.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from whalefall_pipelines.areas import partitioned_table_names
from whalefall_pipelines.domain.months import Month, TablePartition, months_of
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import ArchiveError, InputError, NotFoundError
from whalefall_pipelines.retention.store.table_partition_rows import column_types, copy_out, count_differences, restore_month
from whalefall_pipelines.store.database import Database

# A database name may contain a line break, and a CSV record must fit into one block.
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of an archive file, stored beside it as JSON."""

    table_name: str
    month: str
    rows: int
    bytes: int
    sha256: str
    columns: Mapping[str, str]

    @property
    def calendar_month(self) -> Month:
        """The month as an object."""
        (month,) = months_of([date.fromisoformat(f"{self.month}-01")])
        return month


def check_archive(folder: Path) -> None:
    """Check that archives can be written to this folder, before anything is removed from the store.

    Raises:
        ArchiveError: the folder is not writable.
    """
    with _failures(f"Archives cannot be written to {folder}"):
        _arrow("pyarrow.parquet")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def archive_month(database: Database, table_partition: TablePartition, folder: Path) -> Path:
    """Write a month to a new file, read it back, compare every row, and return the file. An existing file is never overwritten.

    Raises:
        ArchiveError: it cannot be written, or it does not read back to the same rows.
    """
    columns = column_types(database, table_partition.table_name)
    with (
        _failures(f"{table_partition.name} cannot be archived to {folder}"),
        tempfile.TemporaryDirectory(dir=folder, prefix=".archive-") as scratch,
    ):
        csv_file, parquet_file = Path(scratch) / "rows.csv", Path(scratch) / "rows.parquet"
        with csv_file.open("wb") as file:
            copy_out(database, table_partition, file)
        _write_parquet(csv_file, parquet_file, columns)
        _read_parquet(parquet_file, csv_file)
        with csv_file.open("rb") as file:
            rows, differences = count_differences(database, table_partition, file, list(columns))
        if differences:
            raise ArchiveError(
                f"The archive of {table_partition.name} differs in {differences:,} of {counted(rows, 'row')} when it is read back, so it "
                "was discarded."
            )
        manifest = Manifest(
            table_partition.table_name, str(table_partition.month), rows, parquet_file.stat().st_size, _checksum(parquet_file), columns
        )
        return _keep(parquet_file, folder, manifest)


def list_archives(folder: Path) -> list[tuple[Path, Manifest]]:
    """The archive files of a folder with their manifests, by name. The files themselves are not read.

    Raises:
        ArchiveError: the folder or a manifest cannot be read.
    """
    with _failures(f"The archives in {folder} cannot be listed"):
        files = [file for file in sorted(folder.glob("*.parquet")) if _manifest_of(file).is_file()]
        return [(file, _read_manifest(file)) for file in files]


def read_manifest(file: Path) -> Manifest:
    """Read the manifest of an archive file and compare it with the file.

    Raises:
        NotFoundError: one of the two does not exist.
        ArchiveError: the file is not the one that the manifest describes.
    """
    beside = _manifest_of(file)
    for path in (file, beside):
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}; an archive is a .parquet file with its .json manifest beside it.")
    with _failures(f"{beside} cannot be read"):
        manifest = _read_manifest(file)
    if (manifest.bytes, manifest.sha256) != (file.stat().st_size, _checksum(file)):
        raise ArchiveError(f"{file} is not the file that {beside.name} describes: its size or checksum differs; nothing was restored.")
    if manifest.table_name not in partitioned_table_names():
        raise InputError(f"{beside} describes the table {manifest.table_name!r}, which whalefall does not archive.")
    return manifest


def restore_archive(database: Database, file: Path) -> Manifest:
    """Recreate the month of an archive with all its rows, and return the manifest.

    Raises:
        ArchiveError: the file is damaged.
        InputError: the month already exists. Nothing is changed in either case.
    """
    manifest = read_manifest(file)
    with _failures(f"{file} cannot be restored"), tempfile.TemporaryDirectory(prefix="whalefall-restore-") as scratch:
        csv_file = Path(scratch) / "rows.csv"
        rows = _read_parquet(file, csv_file)
        if rows != manifest.rows:
            raise ArchiveError(f"{file} has {counted(rows, 'row')}, but its manifest lists {manifest.rows:,}; nothing was restored.")
        with csv_file.open("rb") as csv_rows:
            restore_month(database, manifest.table_name, manifest.calendar_month, csv_rows, list(manifest.columns))
    return manifest


def _keep(parquet_file: Path, folder: Path, manifest: Manifest) -> Path:
    """Move the manifest and then the file to their final names, durably. Archiving the same rows again yields the same file."""
    name = manifest.calendar_month.table_partition(manifest.table_name)
    names = (f"{name}.parquet" if number == 1 else f"{name}.{number}.parquet" for number in count(1))
    target = next(path for path in (folder / name for name in names) if not path.exists() or _checksum(path) == manifest.sha256)
    written = parquet_file.with_suffix(".json")
    written.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    for source, place in ((written, _manifest_of(target)), (parquet_file, target)):
        _sync(source)
        source.replace(place)
    _sync(folder)
    return target


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _manifest_of(file: Path) -> Path:
    return file.with_suffix(".json")


def _read_manifest(file: Path) -> Manifest:
    return Manifest(**json.loads(_manifest_of(file).read_text(encoding="utf-8")))


def _checksum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write_parquet(csv_file: Path, parquet_file: Path, columns: Mapping[str, str]) -> None:
    csv = _arrow("pyarrow.csv")
    reader = csv.open_csv(
        csv_file,
        read_options=csv.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={name: _arrow_type(type_name) for name, type_name in columns.items()},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    with reader, _arrow("pyarrow.parquet").ParquetWriter(parquet_file, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


def _read_parquet(parquet_file: Path, csv_file: Path) -> int:
    """Write the rows of a Parquet file as CSV for the store, and return their number."""
    rows = 0
    parquet_module, csv_module = _arrow("pyarrow.parquet"), _arrow("pyarrow.csv")
    with parquet_module.ParquetFile(parquet_file) as parquet, csv_module.CSVWriter(csv_file, parquet.schema_arrow) as writer:
        for batch in parquet.iter_batches():
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _arrow_type(type_name: str) -> Any:
    """The Arrow type of a PostgreSQL type. Types without a counterpart, such as uuid, are stored as text."""
    arrow = _arrow("pyarrow")
    if type_name.startswith("numeric("):
        return arrow.decimal128(*map(int, type_name.removeprefix("numeric(").removesuffix(")").split(",")))
    known = {"integer": arrow.int32(), "bigint": arrow.int64(), "boolean": arrow.bool_(), "date": arrow.date32()}
    known["timestamp with time zone"] = arrow.timestamp("us", "UTC")
    return known.get(type_name, arrow.string())


def _arrow(name: str) -> Any:
    """Import pyarrow, which is large and needed for archives only."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError("Archives need pyarrow: pip install 'whalefall-pipelines[archive]', or unset WHALEFALL_ARCHIVE_DIR.") from error


@contextmanager
def _failures(what: str) -> Generator[None]:
    """Translate the errors of files and Arrow: OSError, ValueError (base of Arrow's own), KeyError and TypeError (malformed manifest)."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(f"{what}: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}.") from error
