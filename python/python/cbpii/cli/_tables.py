"""Files of checks: CSV and Parquet. Each is read as rows, and written again with the columns of the results."""

import csv
import hashlib
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Protocol

from .._rows import RESULT_NAMES, Row, RowResult
from ._config import misuse


@dataclass(frozen=True)
class Columns:
    """The names of the columns. A file without a column for the currency has amounts of ``default_currency``."""

    consent: str = "consent"
    iban: str = "iban"
    amount: str = "amount"
    currency: str = "currency"
    reference: str = "reference"
    bank: str = "bank"
    default_currency: str | None = None

    needed: ClassVar[tuple[str, ...]] = ("consent", "iban", "amount", "currency", "reference")

    def found(self, names: Sequence[str]) -> dict[str, str]:
        """What each column means that there is. Refuses a file that lacks one."""
        meanings = {meaning: str(getattr(self, meaning)) for meaning in (*self.needed, "bank")}
        there = {meaning: name for meaning, name in meanings.items() if name in names}
        for meaning in self.needed:
            if meaning not in there and not (meaning == "currency" and self.default_currency):
                raise misuse(
                    f"The file has no column {meanings[meaning]!r} for the {meaning}; it has {', '.join(names)}. "
                    f"Name it with --{meaning}-column{', or give --currency' if meaning == 'currency' else ''}."
                )
        return there


class Table(Protocol):
    """A file that was opened for its checks."""

    def __len__(self) -> int: ...
    def rows(self) -> Iterator[Row]:
        """The checks, in the order of the file."""
        ...

    def write(self, path: Path, results: Sequence[RowResult]) -> None:
        """Writes the file again with the columns of the results, whole or not at all."""


def open_table(path: Path, columns: Columns) -> Table:
    """Opens a file of checks by the end of its name."""
    openers: Mapping[str, Callable[[Path, Columns], Table]] = {".csv": CsvTable, ".parquet": ParquetTable}
    opener = openers.get(path.suffix.lower())
    if opener is None:
        raise misuse(f"{path.name} is neither .csv nor .parquet.")
    try:
        return opener(path, columns)
    except OSError as error:
        raise misuse(f"{path} cannot be read: {error}.") from error


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def whole_or_not(path: Path) -> Generator[Path, None, None]:
    """Gives a path to write to; the file takes its name when all is written, and is on the disk then."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise misuse(f"{path} cannot be written: {error}.") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


class CsvTable:
    """CSV in UTF-8 with a header line, its fields separated by commas, semicolons, tabs or bars."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._columns = columns
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                self._separator = _separator(file.readline())
                file.seek(0)
                lines = csv.reader(file, delimiter=self._separator, strict=True)
                self._names = next(lines, list[str]())
                self._length = sum(1 for line in lines if line)
        except UnicodeDecodeError as error:
            raise misuse(f"{path} is not UTF-8; save it as 'CSV UTF-8'.") from error
        except csv.Error as error:
            raise misuse(f"{path} is not proper CSV: {error}.") from error
        self._meanings = columns.found(self._names)

    def __len__(self) -> int:
        return self._length

    def rows(self) -> Iterator[Row]:
        places = {meaning: self._names.index(name) for meaning, name in self._meanings.items()}
        for place, line in enumerate(self._lines()):
            values: dict[str, Any] = {"currency": self._columns.default_currency}
            values.update({meaning: _field(line, at) for meaning, at in places.items()})
            yield Row(place, **values)

    def write(self, path: Path, results: Sequence[RowResult]) -> None:
        kept = [at for at, name in enumerate(self._names) if name not in RESULT_NAMES]
        with whole_or_not(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
            shutil.copymode(self._path, unfinished)
            writer = csv.writer(file, delimiter=self._separator, lineterminator="\n")
            writer.writerow([*(self._names[at] for at in kept), *RESULT_NAMES])
            for line, result in zip(self._lines(), results, strict=True):
                writer.writerow([*(line[at] if at < len(line) else "" for at in kept), *_texts(result)])

    def _lines(self) -> Iterator[list[str]]:
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter=self._separator, strict=True)
            next(lines, None)
            yield from filter(None, lines)


def _separator(header: str) -> str:
    return max(",;\t|", key=header.count)


def _field(line: list[str], at: int) -> str | None:
    return (line[at].strip() or None) if at < len(line) else None


def _texts(result: RowResult) -> list[str]:
    available = "" if result.available is None else str(result.available).lower()
    checked_at = "" if result.checked_at is None else result.checked_at.isoformat()
    return [available, result.error_code or "", result.advice or "", result.request_id or "", checked_at]


class ParquetTable:
    """Parquet; needs ``cbpii[parquet]``."""

    def __init__(self, path: Path, columns: Columns) -> None:
        try:
            import narwhals as nw

            from ..frames import check_columns

            import_module("pyarrow")
        except ImportError as missing:
            raise misuse(f"Parquet needs the module {missing.name}: pip install 'cbpii[parquet]'") from missing
        self._path = path
        try:
            self._frame = nw.read_parquet(str(path), backend="pyarrow")
        except ValueError as error:
            raise misuse(f"{path} cannot be read: {error}") from error
        self._columns = columns
        self._meanings = columns.found(self._frame.columns)
        try:
            check_columns(self._frame, self._meanings)
        except TypeError as error:
            raise misuse(str(error)) from error

    def __len__(self) -> int:
        return len(self._frame)

    def rows(self) -> Iterator[Row]:
        from ..frames import rows_of

        return rows_of(self._frame, self._meanings, currency=self._columns.default_currency)

    def write(self, path: Path, results: Sequence[RowResult]) -> None:
        from ..frames import with_results

        with whole_or_not(path) as unfinished:
            with_results(self._frame, results).write_parquet(str(unfinished))
            shutil.copymode(self._path, unfinished)
