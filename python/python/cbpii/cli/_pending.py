"""Consents that are being asked for, each in a file only its owner can read."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .._cbpii import PendingConsent
from ..errors import CbpiiError, InvalidRequestError
from ._config import problem


@dataclass(frozen=True)
class Pending:
    """A consent that is being asked for, and what it will be kept as."""

    consent: str
    bank_id: str
    pending: PendingConsent


class PendingFolder:
    """The folder of these files. The names do not tell the ``state``, which ties a callback to its consent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, pending: Pending) -> None:
        """Writes the file, and removes those of consents whose time is over."""
        facts = {"consent": pending.consent, "bank_id": pending.bank_id, "pending": pending.pending.to_json()}
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path(pending.pending.state), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(facts, file)
        except OSError as error:
            raise problem(f"The pending consent cannot be kept: {error}; see 'pending_folder'.") from error
        now = datetime.now(timezone.utc)
        for path, one in self._all():
            if one.pending.expires_at < now:
                path.unlink(missing_ok=True)

    def find(self, callback_url: str) -> Pending:
        """The consent a callback belongs to, by its ``state``."""
        states = parse_qs(urlsplit(callback_url).query).get("state", [])
        for state in states:
            path = self._path(state)
            if path.is_file():
                return _read(path)
        if states:
            raise CbpiiError(
                "consent.pending_expired",
                "No pending consent belongs to this callback: its time is over, or it was finished; begin another one.",
            )
        raise InvalidRequestError(
            "request.callback",
            "This is not a callback: it has no 'state'. Copy the whole address, from https:// to its end.",
        )

    def remove(self, pending: Pending) -> None:
        """Removes the file."""
        self._path(pending.pending.state).unlink(missing_ok=True)

    def _path(self, state: str) -> Path:
        return self._folder / f"{hashlib.sha256(state.encode()).hexdigest()[:32]}.json"

    def _all(self) -> Iterator[tuple[Path, Pending]]:
        for path in self._folder.glob("*.json"):
            yield path, _read(path)


def _read(path: Path) -> Pending:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return Pending(facts["consent"], facts["bank_id"], PendingConsent.from_json(facts["pending"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise problem(f"The pending consent in {path} cannot be read; remove the file and begin again.") from error
