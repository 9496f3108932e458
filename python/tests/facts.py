"""What comes out of a case of tests/vectors, and how it is compared; its README says how."""

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cbpii

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "vectors"
Json = dict[str, Any]


def read(name: str) -> Json:
    return dict(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def tell(suite: str, case: str, facts: Json) -> None:
    """Appends a case to the file that the environment names, if it names one."""
    path = os.environ.get("CBPII_OUTCOMES")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"suite": suite, "case": case, "facts": facts}) + "\n")


def moment(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")


def written(moment: datetime | None) -> str | None:
    """A moment as the cases write it."""
    if moment is None:
        return None
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return re.sub(r"\.?0+$", "", text) + "Z" if "." in text else text + "Z"


def known(given: Json, *names: str) -> Json:
    """The object, which must have no other members."""
    assert given.keys() <= set(names), given.keys() - set(names)
    return given


def request_of(given: Json) -> cbpii.FundsRequest:
    known(given, "reference", "account", "amount", "currency", "payee", "request_id", "psu")
    amount = cbpii.Amount(given["amount"], given["currency"])
    named = known(given["account"], "iban", "other", "currency", "workspace")
    more = {name: named[name] for name in ("currency", "workspace") if name in named}
    if "other" in named:
        assert "iban" not in named
        account = cbpii.Account.other(**known(named["other"], "identification", "scheme", "issuer"), **more)
    else:
        account = cbpii.Account(named["iban"], **more)
    psu = given.get("psu")
    return cbpii.FundsRequest(
        reference=given["reference"],
        account=account,
        amount=amount,
        payee=given.get("payee"),
        request_id=given.get("request_id"),
        psu=None if psu is None else cbpii.PsuContext(**psu),
    )


def facts_of_confirmation(answer: cbpii.FundsConfirmation) -> Json:
    """All but how long it took."""
    return {
        "available": answer.available,
        "reference": answer.reference,
        "request_id": answer.request_id,
        "correlation_id": answer.correlation_id,
        "bank_id": answer.bank_id,
        "checked_at": written(answer.checked_at),
        "response_signature": answer.response_signature.value,
        "deprecation_warning": answer.deprecation_warning,
    }


def facts_of_tokens(tokens: cbpii.Tokens) -> Json:
    return {
        "access_token": tokens.access_token.expose(),
        "refresh_token": None if tokens.refresh_token is None else tokens.refresh_token.expose(),
        "token_type": tokens.token_type,
        "scope": tokens.scope,
        "obtained_at": written(tokens.obtained_at),
        "expires_at": written(tokens.expires_at),
        "consent_expires_at": written(tokens.consent_expires_at),
    }


def facts_of_session(session: cbpii.Session) -> Json:
    status = session.status()
    return {
        "id": session.id,
        "state": status.state.value,
        "next_action": status.next_action.value,
        "consent_expires_at": written(status.consent_expires_at),
        "renew_from": written(status.renew_from),
        "days_left": status.days_left,
        "has_unsaved_tokens": session.has_unsaved_tokens,
        "history": [[one.event.value, written(one.at), one.cause] for one in session.history()],
    }


def facts_of_error(error: cbpii.CbpiiError) -> Json:
    return {
        "error": error.code,
        "number": error.number,
        "kind": error.kind.value,
        "advice": error.advice.value,
        "message": error.message,
        "bank_code": error.bank_code,
        "bank_message": error.bank_message,
        "http_status": error.http_status,
        "retry_after_seconds": None if error.retry_after is None else int(error.retry_after.total_seconds()),
        "request_id": error.request_id,
        "correlation_id": error.correlation_id,
        "request_sent": error.request_sent.value,
    }


def same(expected: object, actual: object) -> bool:
    """Equality of JSON values: true is not 1."""
    return json.dumps(expected, sort_keys=True) == json.dumps(actual, sort_keys=True)


def differences(expected: Json, actual: Json) -> Iterator[str]:
    for fact, value in expected.items():
        if fact not in actual:
            yield f"{fact} is not there (it should be {value!r}), but {actual!r}"
        elif not same(value, actual[fact]):
            yield f"{fact} is {actual[fact]!r}, not {value!r}"
    if "error" in actual and "error" not in expected:
        yield f"fails with {actual['error']}"
