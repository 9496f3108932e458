"""The journal of ``cbpii check-file``: each result is on the disk before the next is waited for.

One line of JSON for each row that is done. It names rows by their place and holds no account number.
"""

import fcntl
import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from .._rows import RowResult
from ..enums import Advice
from ._config import misuse

_FORMAT = 1
_TO_ASK_AGAIN = {Advice.RETRY, Advice.RETRY_AFTER}


class Journal:
    """What is done of one file. Locked while it is open, so that two runs do not ask the same."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        try:
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        except OSError as error:
            raise misuse(f"The journal {path} cannot be written: {error}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise misuse(f"Another run is working on this file: {path} is locked.") from None
        try:
            self.done = self._read(fingerprint)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def to_ask(self, place: int) -> bool:
        """Whether this row is still to be asked: it was not, or could not be answered for a reason that may have passed."""
        result = self.done.get(place)
        return result is None or result.advice in _TO_ASK_AGAIN

    def add(self, place: int, result: RowResult) -> None:
        """Keeps a result durably."""
        facts = {"row": place, **{name: value for name, value in asdict(result).items() if value is not None}}
        if result.checked_at is not None:
            facts["checked_at"] = result.checked_at.isoformat()
        self._append(facts)
        self.done[place] = result

    def remove(self) -> None:
        """Removes the journal: everything is in the file of the results."""
        self.path.unlink(missing_ok=True)

    def _append(self, facts: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(facts, separators=(",", ":")).encode() + b"\n")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise misuse(f"The journal {self.path} cannot be written: {error}; what is in it is kept.") from error

    def _read(self, fingerprint: str) -> dict[int, RowResult]:
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        # A line that was cut off when the machine went down was never reported as done.
        self._file.truncate(len(whole))
        self._file.seek(len(whole))
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
        except ValueError as error:
            raise misuse(f"{self.path} is damaged or no journal; --restart begins it again.") from error
        if not lines:
            self._append({"cbpii_journal": _FORMAT, "input_sha256": fingerprint})
            return {}
        if lines[0] != {"cbpii_journal": _FORMAT, "input_sha256": fingerprint}:
            raise misuse(
                f"{self.path} belongs to another input, or the input has changed since; --restart begins it again and "
                "forgets what is done."
            )
        return dict(map(_result, lines[1:]))


def _result(facts: dict[str, Any]) -> tuple[int, RowResult]:
    place = facts.pop("row")
    if "checked_at" in facts:
        facts["checked_at"] = datetime.fromisoformat(facts["checked_at"])
    return place, RowResult(**facts)
