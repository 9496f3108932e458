"""The options several commands share."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .._bank import Bank
from ..enums import Environment


def _bank_ids(incomplete: str) -> list[tuple[str, str]]:
    banks = Bank.directory(Environment.PRODUCTION)
    return [(bank.id, bank.name) for bank in banks if bank.id.startswith(incomplete)]


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="CBPII_CONFIG",
        help="The configuration; by default cbpii.toml of the working directory or of your configuration folder.",
        show_default=False,
        dir_okay=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for machines.")]
BankId = Annotated[
    str | None,
    typer.Option("--bank", "-b", help="The bank's id, e.g. bpce-17515.", autocompletion=_bank_ids, show_default=False),
]
IbanText = Annotated[str, typer.Option("--iban", help="The cardholder's account; - reads it from standard input.")]
AmountText = Annotated[str, typer.Argument(metavar="AMOUNT", help="The amount, e.g. 59.90.")]
CurrencyCode = Annotated[str, typer.Option("--currency", help="The ISO 4217 code.")]
Reference = Annotated[
    str | None,
    typer.Option("--reference", "-r", help="Your own reference, 1 to 35 characters; by default made of the time."),
]
Payee = Annotated[str | None, typer.Option("--payee", help="The merchant, 1 to 70 characters.", show_default=False)]
Timeout = Annotated[
    float | None, typer.Option("--timeout", help="The time the check may take, in seconds.", show_default=False)
]


WITH_IBAN = {"allow_extra_args": True}
"""The settings of a command with ``--iban``: the groups of an IBAN that was given with blanks and without quotes are no
mistake, and must not be shown in an error about one."""


def whole_iban(iban: str, context: typer.Context) -> str:
    """The IBAN with its further groups, or of the standard input."""
    return sys.stdin.readline().strip() if iban == "-" else " ".join([iban, *context.args])
