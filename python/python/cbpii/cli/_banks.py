"""``cbpii banks``."""

import json
from typing import Annotated

import typer
from rich.text import Text

from .._bank import Bank
from .._cbpii import Iban
from ..enums import Environment
from ..errors import InvalidRequestError
from ._options import AsJson
from ._output import ExitCode, Output, counted

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WORDS|IBAN]", help="Words of the name, the brand or the code, or an account's IBAN."),
]
Installation = Annotated[
    Environment, typer.Option("--environment", "-e", envvar="CBPII_ENVIRONMENT", help="Which of the banks' installations.")
]


def banks(words: Words = None, environment: Installation = Environment.PRODUCTION, as_json: AsJson = False) -> None:
    """List the banks of the directory, or find the one you mean."""
    output = Output(as_json)
    with output.failures():
        found = _found(" ".join(words or []), environment)
    if as_json:
        output.json([json.loads(bank.to_json()) for bank in found])
    elif len(found) == 1:
        _show_one(output, found[0])
    elif found:
        _show_all(output, found)
    else:
        output.notes.print("No bank of the directory matches; 'cbpii banks' lists them all.")
    if not found:
        raise typer.Exit(ExitCode.NO)


def _found(words: str, environment: Environment) -> list[Bank]:
    if not words:
        return Bank.directory(environment)
    try:
        iban = Iban(words)
    except InvalidRequestError:
        if _looks_like_iban(words):
            raise
        return Bank.find(words, environment)
    return Bank.from_iban(iban, environment)


def _looks_like_iban(words: str) -> bool:
    text = words.replace(" ", "")
    return len(text) >= 14 and text[:2].isalpha() and text[2:4].isdigit()


def _show_all(output: Output, found: list[Bank]) -> None:
    table = output.table(("id", "name", "code", "standard", ""), narrow=("id", "name", ""))
    for bank in found:
        cells = {
            "id": Text(bank.id, "cyan"),
            "name": bank.name,
            "code": bank.establishment_code or "",
            "standard": bank.standard.value,
            "": Text("?", "yellow") if bank.unverified else "",
        }
        table.add_row(*(cells[str(column.header)] for column in table.columns))
    output.console.print(table)
    explained = "; ? is not confirmed by the bank's own pages" if any(bank.unverified for bank in found) else ""
    output.line(counted(len(found), "bank") + explained, "dim")


def _show_one(output: Output, bank: Bank) -> None:
    output.line(bank.name, "bold")
    output.facts(
        {
            "id": Text(bank.id, "cyan"),
            "brand": bank.brand,
            "code": bank.establishment_code,
            "standard": bank.standard.value,
            "environment": None if bank.environment is None else bank.environment.value,
            "authorize": bank.authorize_url,
            "token": bank.token_url,
            "funds": bank.funds_url,
            "consent lasts": f"{bank.consent_lifetime_days} days",
            "signed requests": "no" if bank.signature is None else f"yes, keyId {bank.signature.key_id}",
            "unverified": Text("not confirmed by the bank's own pages", "yellow") if bank.unverified else None,
            "note": bank.note,
        }
    )
