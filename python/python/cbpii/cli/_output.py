"""What the commands show: to people with rich, to machines as JSON."""

import enum
import json
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..enums import Advice, ErrorKind
from ..errors import CbpiiError


class ExitCode(enum.IntEnum):
    """How a command ends."""

    OK = 0
    NO = 1
    USAGE = 2
    CONSENT = 3
    NO_ANSWER = 4
    REFUSED = 5
    STORE = 6
    INCOMPLETE = 7
    WARNINGS = 8
    INTERNAL = 70
    INTERRUPTED = 130


_EXIT_CODES = {
    ErrorKind.CONFIGURATION: ExitCode.USAGE,
    ErrorKind.ELIGIBILITY: ExitCode.USAGE,
    ErrorKind.INVALID_REQUEST: ExitCode.USAGE,
    ErrorKind.CONSENT_REFUSED: ExitCode.CONSENT,
    ErrorKind.CONSENT_REQUIRED: ExitCode.CONSENT,
    ErrorKind.BANK_REFUSED: ExitCode.REFUSED,
    ErrorKind.RATE_LIMITED: ExitCode.NO_ANSWER,
    ErrorKind.BANK_UNAVAILABLE: ExitCode.NO_ANSWER,
    ErrorKind.TIMEOUT: ExitCode.NO_ANSWER,
    ErrorKind.NETWORK: ExitCode.NO_ANSWER,
    ErrorKind.TLS: ExitCode.NO_ANSWER,
    ErrorKind.PROTOCOL: ExitCode.NO_ANSWER,
    ErrorKind.STORE: ExitCode.STORE,
    ErrorKind.CANCELLED: ExitCode.INTERRUPTED,
    ErrorKind.INTERNAL: ExitCode.INTERNAL,
}

ADVICE = {
    Advice.RETRY: "Try again; it may well work.",
    Advice.RETRY_AFTER: "Try again after a pause.",
    Advice.RENEW_CONSENT: "Ask the cardholder for a new consent: cbpii consent start.",
    Advice.FIX_REQUEST: "Change what was given to this command.",
    Advice.FIX_CONFIGURATION: "Change the configuration: bank, certificates, keys, options.",
    Advice.CONTACT_BANK: "Ask the bank's support; 'cbpii explain' lays the request open.",
}


class Output:
    """Where a command writes to. With ``as_json`` the standard output has one JSON value and nothing else."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = _console(stderr=False)
        self.notes = _console(stderr=True)

    def json(self, value: object) -> None:
        """Writes the JSON value."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def line(self, text: str, style: str = "") -> None:
        """Writes a line that may be wrapped."""
        self.console.print(Text(text, style))

    def exact(self, text: str) -> None:
        """Writes a text to be copied: it is not wrapped."""
        self.console.print(Text(text), soft_wrap=True)

    def facts(self, facts: Mapping[str, object]) -> None:
        """Writes names and values; what is None is left out."""
        self.console.print(facts_table(facts))

    def table(self, names: Sequence[str], narrow: Sequence[str] = ()) -> Table:
        """A table of these columns; on a narrow terminal of the ``narrow`` ones only."""
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in narrow if narrow and self.console.width < 72 else names:
            table.add_column(name, overflow="fold")
        return table

    @contextmanager
    def failures(self) -> Generator[None, None, None]:
        """Shows an error of the library, and ends the command with its exit code."""
        try:
            yield
        except CbpiiError as error:
            self.error(error)
            raise typer.Exit(_exit_code(error)) from None

    def error(self, error: CbpiiError) -> None:
        """Shows an error: the sentence, what to do, and what the bank's support asks for."""
        if self.as_json:
            self.json({"error": error_facts(error)})
            return
        self.notes.print(Text.assemble(("✗ ", "bold red"), (error.message, "bold")))
        code, said = error.bank_code or "", error.bank_message or ""
        facts = {
            "what to do": ADVICE[error.advice],
            "wait": None if error.retry_after is None else f"{error.retry_after.total_seconds():.0f} s",
            "the bank said": (said if said.startswith(code) else f"{code} {said}") or code or None,
            "HTTP status": error.http_status,
            "request id": error.request_id,
            "error code": error.code,
        }
        self.notes.print(facts_table(facts))


def _exit_code(error: CbpiiError) -> ExitCode:
    return ExitCode.CONSENT if error.advice is Advice.RENEW_CONSENT else _EXIT_CODES[error.kind]


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        # What goes to a file or another program is not cut into lines.
        console.width = 200
    return console


def facts_table(facts: Mapping[str, object]) -> Table:
    """Names and values below each other."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value is not None:
            table.add_row(f"  {name}", value if isinstance(value, Text) else Text(shown(value)))
    return table


def shown(value: object) -> str:
    """A value for a person."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, timedelta):
        return f"{value.total_seconds() * 1000:.0f} ms"
    return str(value)


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def error_facts(error: CbpiiError) -> dict[str, Any]:
    """An error for a machine."""
    return {
        "code": error.code,
        "kind": error.kind.value,
        "message": error.message,
        "advice": error.advice.value,
        "retry_after_seconds": None if error.retry_after is None else error.retry_after.total_seconds(),
        "http_status": error.http_status,
        "bank_code": error.bank_code,
        "bank_message": error.bank_message,
        "request_id": error.request_id,
        "correlation_id": error.correlation_id,
        "request_sent": error.request_sent.value,
    }
