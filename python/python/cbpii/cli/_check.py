"""``cbpii check`` and ``cbpii explain``."""

import dataclasses
from datetime import datetime, timezone
from typing import Annotated, Any

import typer
from rich.text import Text

from .._cbpii import Amount, FundsRequest, Iban
from .._results import FundsConfirmation
from ._options import AmountText, AsJson, BankId, ConfigFile, CurrencyCode, IbanText, Payee, Reference, Timeout, whole_iban
from ._output import ExitCode, Output
from ._setup import Setup

Consent = Annotated[str, typer.Argument(metavar="CONSENT", help="The id the consent is kept under.", show_default=False)]


def check(
    context: typer.Context,
    consent: Consent,
    amount: AmountText,
    iban: IbanText,
    currency: CurrencyCode = "EUR",
    reference: Reference = None,
    payee: Payee = None,
    bank: BankId = None,
    timeout: Timeout = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask the bank whether an account covers an amount. Exit code 0 is yes, 1 is no, anything else is no answer."""
    output = Output(as_json)
    with output.failures():
        setup = Setup(config)
        request = _request(whole_iban(iban, context), amount, currency, reference, payee)
        session = setup.session(consent, bank)
        answer = session.confirm_funds(request, timeout=timeout)
    if as_json:
        output.json(_facts(answer))
    else:
        _show(output, request, answer)
    raise typer.Exit(ExitCode.OK if answer.available else ExitCode.NO)


def explain(
    context: typer.Context,
    amount: AmountText,
    iban: IbanText,
    currency: CurrencyCode = "EUR",
    reference: Reference = None,
    payee: Payee = None,
    bank: BankId = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what a check would send, header by header, secrets masked: to be pasted in a ticket to the bank."""
    output = Output(as_json)
    with output.failures():
        setup = Setup(config)
        request = _request(whole_iban(iban, context), amount, currency, reference, payee)
        explanation = setup.client(setup.bank_id(bank)).explain(request)
    if as_json:
        output.json({name: value for name, value in dataclasses.asdict(explanation).items() if name != "_text"})
    else:
        output.exact(str(explanation))


def _request(iban: str, amount: str, currency: str, reference: str | None, payee: str | None) -> FundsRequest:
    return FundsRequest(
        reference=reference or f"CHECK-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}",
        account=Iban(iban),
        amount=Amount(amount, currency),
        payee=payee,
    )


def _facts(answer: FundsConfirmation) -> dict[str, Any]:
    facts = dataclasses.asdict(answer)
    facts["checked_at"] = answer.checked_at.isoformat()
    facts["duration_seconds"] = facts.pop("duration").total_seconds()
    return facts


def _show(output: Output, request: FundsRequest, answer: FundsConfirmation) -> None:
    amount = f"{request.amount.value} {request.amount.currency}"
    word, style = ("✓ Yes", "bold green") if answer.available else ("✗ No", "bold red")
    verdict = "covers" if answer.available else "does not cover"
    output.console.print(Text.assemble((word, style), f": the account {request.account.iban} {verdict} {amount}."))
    output.facts(
        {
            "reference": answer.reference,
            "bank": answer.bank_id,
            "checked at": answer.checked_at,
            "took": answer.duration,
            "request id": answer.request_id,
            "correlation id": answer.correlation_id,
            "bank's warning": answer.deprecation_warning,
        }
    )
