"""``cbpii consent start|finish|forget`` and ``cbpii consents``."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import typer
from rich.text import Text

from .._bank import Bank
from .._results import ConsentStatus, RenewalDue
from ..enums import ConsentState, RequestSent
from ..errors import CbpiiError, ConsentRefusedError, ConsentRequiredError
from ._config import misuse
from ._options import WITH_IBAN, AsJson, BankId, ConfigFile, whole_iban
from ._output import ExitCode, Output, counted, error_facts, shown
from ._pending import Pending, PendingFolder
from ._setup import Setup

app = typer.Typer(
    help="Ask a cardholder for a consent, and keep or forget it.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConsentId = Annotated[
    str, typer.Argument(metavar="CONSENT", help="The id to keep the consent under, 1 to 255 bytes.", show_default=False)
]
ByIban = Annotated[str | None, typer.Option("--iban", help="Find the bank by the cardholder's IBAN.", show_default=False)]
ValidFor = Annotated[float, typer.Option("--valid-for", help="How long the cardholder may take, in minutes.", min=1)]
Callback = Annotated[
    str | None,
    typer.Argument(
        metavar="[CALLBACK]",
        help="The address the browser was sent back to; asked for when it is left out, which keeps it out of the history.",
        show_default=False,
    ),
]
OnlyDue = Annotated[bool, typer.Option("--due", help="Only those to be renewed; exit code 3 when there are any.")]

_STYLES = {
    ConsentState.ACTIVE: "green",
    ConsentState.RENEW_SOON: "yellow",
    ConsentState.EXPIRED: "red",
    ConsentState.REFUSED: "red",
    ConsentState.LOST: "red",
}


@app.command(context_settings=WITH_IBAN)
def start(
    context: typer.Context,
    consent: ConsentId,
    bank: BankId = None,
    iban: ByIban = None,
    valid_for: ValidFor = 15.0,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Begin a consent: gives the address to send the cardholder's browser to."""
    output = Output(as_json)
    with output.failures():
        setup = Setup(config)
        bank_id = setup.bank_id(bank) if iban is None or bank else _bank_of(whole_iban(iban, context), setup)
        pending = setup.client(bank_id).begin_consent(valid_for=timedelta(minutes=valid_for))
        PendingFolder(setup.pending_folder).keep(Pending(consent, bank_id, pending))
    if as_json:
        expires_at = pending.expires_at.isoformat()
        output.json({"consent": consent, "bank_id": bank_id, "url": pending.url, "expires_at": expires_at})
        return
    output.line(f"Send the cardholder's browser to this address, before {shown(pending.expires_at)}:")
    output.exact(pending.url)
    output.line("Then give the address it is sent back to: cbpii consent finish")


@app.command()
def finish(callback: Callback = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Finish a consent: reads the callback, gets the tokens and keeps them."""
    output = Output(as_json)
    with output.failures():
        setup = Setup(config)
        folder = PendingFolder(setup.pending_folder)
        url = callback or _asked_for()
        found = folder.find(url)
        pool = setup.pool(found.bank_id)
        try:
            session = pool.keep(found.consent, pool.client.complete_consent(found.pending, url))
        except CbpiiError as error:
            if _is_over(error):
                folder.remove(found)
            raise
        folder.remove(found)
        status = session.status()
    if as_json:
        output.json(_facts(found.consent, found.bank_id, status))
        return
    output.line(f"✓ The consent {found.consent} is kept; it lasts until {shown(status.consent_expires_at)}.", "green")


@app.command()
def forget(consent: ConsentId, bank: BankId = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Forget a consent: its tokens are removed from the store."""
    output = Output(as_json)
    with output.failures():
        setup = Setup(config)
        session_pool = setup.pool(bank) if bank else setup.any_pool()
        if not session_pool.forget(consent):
            raise ConsentRequiredError("consent.unknown", f"The store has no consent of the id {consent!r}.")
    if as_json:
        output.json({"consent": consent, "forgotten": True})
    else:
        output.line(f"✓ The consent {consent} is forgotten.")


def consents(due: OnlyDue = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the consents of the store: their state, the days that are left, and which are to be renewed."""
    output = Output(as_json)
    with output.failures():
        setup = Setup(config)
        rows = [_row(setup, one) for one in setup.kept()]
    if due:
        rows = [row for row in rows if row["state"] != ConsentState.ACTIVE]
    if as_json:
        output.json(rows)
    else:
        _show(output, rows, due)
    if due and rows:
        raise typer.Exit(ExitCode.CONSENT)


def _asked_for() -> str:
    try:
        return str(typer.prompt("The address the browser was sent back to", err=True))
    except typer.Abort:
        raise misuse("No address was given.") from None


def _bank_of(iban: str, setup: Setup) -> str:
    found = Bank.from_iban(iban, setup.config.environment)
    if len(found) > 1:
        names = ", ".join(f"{bank.id} ({bank.name})" for bank in found)
        raise misuse(f"Several brands share this code; give --bank: {names}.")
    return found[0].id


def _is_over(error: CbpiiError) -> bool:
    """Whether this pending consent can never be finished: it was answered with no, is too old, or its code was used."""
    return isinstance(error, ConsentRefusedError | ConsentRequiredError) or error.request_sent is not RequestSent.NO


def _facts(consent: str, bank_id: str, status: ConsentStatus) -> dict[str, Any]:
    return {
        "consent": consent,
        "bank_id": bank_id,
        "state": status.state.value,
        "days_left": status.days_left,
        "consent_expires_at": status.consent_expires_at.isoformat(),
        "renew_from": status.renew_from.isoformat(),
        "next_action": status.next_action.value,
    }


def _row(setup: Setup, kept: RenewalDue | CbpiiError) -> dict[str, Any]:
    if isinstance(kept, CbpiiError):
        return {"consent": None, "bank_id": None, "state": None, "error": error_facts(kept)}
    try:
        return _facts(kept.id, kept.bank_id, setup.session(kept.id, kept.bank_id).status())
    except CbpiiError as error:
        return {"consent": kept.id, "bank_id": kept.bank_id, "state": None, "error": error_facts(error)}


def _show(output: Output, rows: list[dict[str, Any]], due: bool) -> None:
    if not rows:
        output.line("No consents are to be renewed." if due else "No consents.", "dim")
        return
    wide = ("consent", "bank", "state", "days left", "ends", "renew from")
    table = output.table(wide, narrow=("consent", "state", "days left", "ends"))
    for row in rows:
        cells: dict[str, str | Text] = dict(zip(wide, _cells(row), strict=True))
        table.add_row(*(cells[str(column.header)] for column in table.columns))
    output.console.print(table)
    to_renew = sum(row["state"] != ConsentState.ACTIVE for row in rows)
    output.line(f"{counted(len(rows), 'consent')}, {to_renew} to be renewed", "dim" if to_renew == 0 else "yellow")


def _cells(row: dict[str, Any]) -> list[str | Text]:
    if row["state"] is None:
        return [row["consent"] or "?", row["bank_id"] or "?", Text(row["error"]["code"], "red"), "", "", ""]
    state = ConsentState(row["state"])
    ends, renew_from = (f"{_moment(row[name]):%Y-%m-%d}" for name in ("consent_expires_at", "renew_from"))
    style = _STYLES[state]
    return [row["consent"], row["bank_id"], Text(state.value, style), Text(str(row["days_left"]), style), ends, renew_from]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(timezone.utc)
