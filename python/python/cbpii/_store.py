"""Where consents are kept, for those who write a store of their own."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class StoredRecord:
    """A record as a store gives it back."""

    sealed: bytes
    """The sealed bytes, as they were saved."""
    due_at: datetime
    """When the record falls due, as it was saved (UTC, whole milliseconds)."""
    version: int
    """Which writing of the record this is. The versions a store gives only grow, also for an id that was deleted and
    came back."""

    def __repr__(self) -> str:
        return f"StoredRecord(sealed=<{len(self.sealed)} bytes>, due_at={self.due_at!r}, version={self.version})"


@dataclass(frozen=True)
class DueRecord:
    """One line of the index by due moment."""

    id: str
    """The consent's id."""
    due_at: datetime
    """When it falls due, in UTC."""


class ConsentStore(ABC):
    """Where records are kept, for a store of your own: a database, a key-value server.

    It keeps opaque bytes and never sees a token: :class:`SealedStore` seals them. It is called from any thread, several at
    once. What a method raises becomes the error of the call: a :class:`StoreError` as it is, anything else as
    ``store.failed`` with the exception as its ``__cause__``.
    """

    @abstractmethod
    def load(self, id: str) -> StoredRecord | None:
        """The record of this id, or None."""

    @abstractmethod
    def save(self, id: str, sealed: bytes, due_at: datetime, expected: int | None) -> int | None:
        """Saves a record durably, if it is still at the version ``expected`` (None: if there is no record of this id).

        Returns the new version, or None when the record is not at the expected version (any more), and then changes
        nothing. Comparison and writing must be one step for everybody who uses the store.
        """

    @abstractmethod
    def delete(self, id: str) -> bool:
        """Removes a record; False when there was none."""

    @abstractmethod
    def list(self, due_before: datetime, after: DueRecord | None, limit: int) -> "list[DueRecord]":
        """At most ``limit`` records that fall due before ``due_before``, in the order of ``due_at``, then of the id's
        UTF-8 bytes, from the one behind ``after`` on."""
