"""``cbpii check-file``."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

from .._cbpii import Session
from .._rows import Row, RowResult, ask_rows, consent_id
from ..errors import CATALOGUE
from ._config import misuse
from ._journal import Journal
from ._options import AsJson, ConfigFile, Timeout
from ._output import ADVICE, ExitCode, Output
from ._setup import Setup
from ._tables import Columns, Table, fingerprint, open_table

_DEFAULTS = Columns()

Input = Annotated[Path, typer.Argument(metavar="IN", help="The checks: .csv or .parquet.", show_default=False)]
Result = Annotated[Path, typer.Argument(metavar="OUT", help="The same with the results.", show_default=False)]
Currency = Annotated[
    str | None,
    typer.Option("--currency", help="The currency, for a file without such a column.", show_default=False),
]
InFlight = Annotated[
    int | None,
    typer.Option("--max-in-flight", help="How many checks are under way at most, 1 to 256.", show_default=False),
]
Restart = Annotated[bool, typer.Option("--restart", help="Forget what an interrupted run has done.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")]
ConsentColumn = Annotated[str, typer.Option(help="The column with the id the consent is kept under.")]
IbanColumn = Annotated[str, typer.Option(help="The column with the account's IBAN.")]
AmountColumn = Annotated[str, typer.Option(help="The column with the amount.")]
CurrencyColumn = Annotated[str, typer.Option(help="The column with the ISO 4217 currency.")]
ReferenceColumn = Annotated[str, typer.Option(help="The column with your own reference.")]
BankColumn = Annotated[str, typer.Option(help="The column with the bank's id, if there is one.")]


def check_file(
    input: Input,
    result: Result,
    currency: Currency = None,
    consent_column: ConsentColumn = _DEFAULTS.consent,
    iban_column: IbanColumn = _DEFAULTS.iban,
    amount_column: AmountColumn = _DEFAULTS.amount,
    currency_column: CurrencyColumn = _DEFAULTS.currency,
    reference_column: ReferenceColumn = _DEFAULTS.reference,
    bank_column: BankColumn = _DEFAULTS.bank,
    max_in_flight: InFlight = None,
    timeout: Timeout = None,
    restart: Restart = False,
    overwrite: Overwrite = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask one question for each row of a file, and write it again with the answers.

    Interrupted by Ctrl-C, by a failure or by a power cut, the same command goes on where it was: what is done is not asked
    again. Rows that had no answer for a passing reason are.
    """
    output = Output(as_json)
    with output.failures():
        setup = Setup(config)
        columns = Columns(
            consent_column, iban_column, amount_column, currency_column, reference_column, bank_column, currency
        )
        table = open_table(input, columns)
        journal_path = _journal_path(input, result, restart, overwrite)
        with Journal(journal_path, fingerprint(input)) as journal:
            run = _Run(setup, table, journal, max_in_flight or setup.config.options.max_in_flight, timeout)
            before, started = run.done(), time.monotonic()
            run.ask(output)
            summary = _Summary.of(journal, len(table), before, time.monotonic() - started)
            if summary.done == summary.rows:
                table.write(result, [journal.done[place] for place in range(len(table))])
                journal.remove()
    _end(output, summary, result, journal_path)


def _journal_path(input: Path, result: Path, restart: bool, overwrite: bool) -> Path:
    if input.suffix.lower() != result.suffix.lower():
        raise misuse(f"{input.name} and {result.name} are of different kinds; the result is written as the input is.")
    journal = result.with_name(result.name + ".journal")
    if result.exists() and not overwrite and not journal.exists():
        raise misuse(f"{result} exists; give another name, or --overwrite.")
    if result.exists() and result.samefile(input):
        raise misuse("The result would replace the input; give another name.")
    if restart:
        journal.unlink(missing_ok=True)
    return journal


class _Run:
    """The asking."""

    def __init__(self, setup: Setup, table: Table, journal: Journal, max_in_flight: int, timeout: float | None) -> None:
        self._setup = setup
        self._table = table
        self._journal = journal
        self._max_in_flight = max_in_flight
        self._timeout = timeout
        self._stop = threading.Event()

    def done(self) -> int:
        """How many rows need not be asked."""
        return sum(not self._journal.to_ask(place) for place in range(len(self._table)))

    def ask(self, output: Output) -> None:
        """Asks what is still to be asked, until the end or until it is told to stop."""
        rows = self._rows()
        first = next(rows, None)
        if first is None:
            return
        asked = ask_rows(
            _again(first, rows),
            self._open,
            self._setup.any_pool(),
            max_in_flight=self._max_in_flight,
            timeout=self._timeout,
        )
        with _progress(output, self.done(), len(self._table)) as bar, self._stoppable(output):
            task = bar.task_ids[0]
            for row, result in asked:
                self._journal.add(row.place, result)
                bar.advance(task)

    def _rows(self) -> Iterator[Row]:
        for row in self._table.rows():
            if self._stop.is_set():
                return
            if self._journal.to_ask(row.place):
                yield row

    def _open(self, row: Row) -> Session:
        return self._setup.session(consent_id(row), row.bank)

    @contextmanager
    def _stoppable(self, output: Output) -> Generator[None, None, None]:
        """Ctrl-C and SIGTERM let what is under way end, so that it need not be asked again; a second one ends at once."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            if self._stop.is_set():
                raise KeyboardInterrupt
            self._stop.set()
            output.notes.print("Waiting for the checks under way; Ctrl-C again ends at once.")

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        except KeyboardInterrupt:
            self._stop.set()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _again(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


def _progress(output: Output, done: int, total: int) -> Progress:
    bar = Progress(
        TextColumn("checks"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=output.notes,
        disable=not output.notes.is_terminal,
        transient=True,
    )
    bar.add_task("checks", total=total, completed=done)
    return bar


@dataclass(frozen=True)
class _Summary:
    """What came of a file."""

    rows: int
    done: int
    before: int
    yes: int
    no: int
    errors: "Counter[str]"
    seconds: float

    @staticmethod
    def of(journal: Journal, rows: int, before: int, seconds: float) -> "_Summary":
        results: list[RowResult] = list(journal.done.values())
        yes = sum(result.available is True for result in results)
        no = sum(result.available is False for result in results)
        errors = Counter(result.error_code for result in results if result.error_code is not None)
        return _Summary(rows, len(results), before, yes, no, errors, seconds)


def _end(output: Output, summary: _Summary, result: Path, journal: Path) -> None:
    finished = summary.done == summary.rows
    if output.as_json:
        output.json(
            {
                "finished": finished,
                "rows": summary.rows,
                "done": summary.done,
                "done_before": summary.before,
                "yes": summary.yes,
                "no": summary.no,
                "errors": dict(summary.errors.most_common()),
                "seconds": round(summary.seconds, 3),
                "result": str(result) if finished else None,
                "journal": None if finished else str(journal),
            }
        )
    else:
        _show(output, summary, result, journal)
    if not finished:
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(ExitCode.INCOMPLETE if summary.errors else ExitCode.OK)


def _show(output: Output, summary: _Summary, result: Path, journal: Path) -> None:
    unanswered = sum(summary.errors.values())
    output.facts(
        {
            "rows": summary.rows,
            "yes": Text(str(summary.yes), "green"),
            "no": Text(str(summary.no), "red"),
            "no answer": Text(str(unanswered), "yellow" if unanswered else ""),
            "done before": summary.before or None,
            "took": f"{summary.seconds:.1f} s",
        }
    )
    if summary.errors:
        output.console.print(_error_table(output, summary))
    if summary.done == summary.rows:
        output.line(f"✓ Written to {result}.", "green")
    else:
        output.line(f"Interrupted: {summary.done} of {summary.rows} rows are done and kept in {journal}.", "yellow")
        output.line("Give the same command again to ask the rest.")


def _error_table(output: Output, summary: _Summary) -> RichTable:
    table = output.table(("rows", "why there is no answer", "what to do"))
    for code, count in summary.errors.most_common():
        entry = CATALOGUE[code]
        table.add_row(str(count), f"{entry.summary} [{code}]", ADVICE[entry.advice])
    return table
