"""What the tests share."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import cbpii
from cbpii.testing import PERSONAS, Sandbox

__all__ = [
    "CLAIRE",
    "FOREVER",
    "KEY",
    "LEA",
    "Sandbox",
    "bare_client",
    "check",
    "saying",
    "sealed",
    "some_tokens",
]

CLAIRE = PERSONAS["CLAIRE"]
LEA = PERSONAS["LEA"]
FOREVER = datetime(2100, 1, 1, tzinfo=timezone.utc)
KEY = bytes(range(32))


def check(amount: Any = "59.90", iban: str = CLAIRE, **more: Any) -> cbpii.FundsRequest:
    """A question."""
    return cbpii.FundsRequest(reference="ORDER-1", account=iban, amount=amount, currency="EUR", **more)


def sealed(store: Any = "memory") -> cbpii.SealedStore:
    return cbpii.SealedStore(store, key=KEY)


def saying(available: bool = True, heard: list[cbpii.HttpRequest] | None = None) -> Callable[..., cbpii.HttpResponse]:
    """A transport in memory whose bank always says the same."""

    def transport(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        if heard is not None:
            heard.append(request)
        asked = json.loads(request.body)
        body = json.dumps({"request": asked, "result": available, "_links": {"self": {"href": "/"}}}).encode()
        return cbpii.HttpResponse(200, (("content-type", "application/hal+json"),), body)

    return transport


def bare_client(**options: Any) -> cbpii.Client:
    """A client that needs no certificates: of a bank that wants no signature, over a transport in memory."""
    bank = cbpii.Bank.bpce("17515", "sandbox").replace(signature=None)
    issuer = cbpii.Issuer(client_id="PSDFR-ACPR-12345", redirect_uri="https://issuer.example/callback")
    return cbpii.Client(bank, issuer, **{"transport": saying(), **options})


def some_tokens(**changes: Any) -> cbpii.Tokens:
    parts: dict[str, Any] = {
        "access_token": "secret-access-token",
        "refresh_token": "secret-refresh-token",
        "obtained_at": datetime.now(timezone.utc),
        "consent_expires_at": FOREVER,
    }
    return cbpii.Tokens(**{**parts, **changes})
