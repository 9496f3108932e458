"""How the package is used, for type checkers: nothing here runs."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import cbpii
import pandas as pd
import polars as pl
from cbpii.frames import confirm_frame
from cbpii.testing import Sandbox
from typing_extensions import assert_type


def hsm(algorithm: cbpii.SignatureAlgorithm, message: bytes) -> bytes:
    return message if algorithm is cbpii.SignatureAlgorithm.RSA_PKCS1_SHA256 else b""


def gateway(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
    assert_type(request.headers, tuple[tuple[str, str], ...])
    return cbpii.HttpResponse(200, (("content-type", "application/json"),), b"{}")


def own_errors() -> None:
    assert_type(cbpii.ConfigurationError("configuration.signer_failed", "…"), cbpii.ConfigurationError)
    assert_type(cbpii.StoreError("store.full", "…", request_sent=cbpii.RequestSent.NO), cbpii.StoreError)
    assert_type(cbpii.CbpiiError("store.full", "…"), cbpii.CbpiiError)


def set_up() -> cbpii.Client:
    issuer = cbpii.Issuer(
        client_id="PSDFR-ACPR-12345",
        redirect_uri="https://issuer.example/callback",
        transport=cbpii.TransportIdentity(Path("qwac.pem"), Path("qwac.key"), password="…"),
        seal=cbpii.SealIdentity.with_signer(Path("qsealc.pem"), hsm, ["rsa-pkcs1-sha256"], key_id="id"),
    )
    bank = cbpii.Bank.bpce("17515", cbpii.Environment.PRODUCTION)
    assert_type(bank.signature, cbpii.SignatureDialect | None)
    assert_type(issuer.check(bank), list[cbpii.Finding])
    return cbpii.Client(
        bank.replace(consent_lifetime_days=90),
        issuer,
        timeout=timedelta(seconds=3),
        connect_timeout=1,
        clock=lambda: datetime.now(timezone.utc),
        transport=gateway,
        on_event=print,
    )


def a_check(amount: Decimal | int | str) -> cbpii.FundsRequest:
    return cbpii.FundsRequest(
        reference="ORDER-1",
        account="FR7617515900000800358074006",
        amount=amount,
        currency="EUR",
        psu=cbpii.PsuContext(ip_address="192.0.2.1"),
    )


def pay(client: cbpii.Client, tokens: cbpii.Tokens) -> bool | None:
    try:
        answer = client.confirm_funds(tokens, a_check(Decimal("59.90")), timeout=1.5)
    except cbpii.RateLimitedError as error:
        assert_type(error.retry_after, timedelta | None)
        return None
    except cbpii.CbpiiError as error:
        assert_type(error.advice, cbpii.Advice)
        assert_type(error.explanation, cbpii.Explanation | None)
        return None
    assert_type(answer, cbpii.FundsConfirmation)
    assert_type(answer.checked_at, datetime)
    return answer.available


def consents(client: cbpii.Client) -> Iterator[cbpii.CheckOutcome]:
    pending = client.begin_consent(valid_for=timedelta(minutes=10))
    tokens = client.complete_consent(cbpii.PendingConsent.from_json(pending.to_json()), "/callback?code=…")
    pool = cbpii.SessionPool(client, cbpii.SealedStore(Path("consents.db"), key=bytes(32)), renew_before=86_400)
    session = pool.keep("claire", tokens)
    assert_type(session.status(), cbpii.ConsentStatus)
    assert_type(session.history(), list[cbpii.ConsentMoment])
    for due in pool.renewals_due(datetime.now(timezone.utc) + timedelta(days=14)):
        assert_type(due, cbpii.RenewalDue)
    with pool.confirm_many([("claire", a_check("1")), cbpii.FundsCheck(session, a_check(2))]) as stream:
        assert_type(stream.progress, cbpii.Progress)
        yield from stream


async def asynchronously(bank: cbpii.Bank, issuer: cbpii.Issuer, tokens: cbpii.Tokens) -> None:
    async with cbpii.AsyncClient(bank, issuer, max_in_flight=8) as client:
        answers = await asyncio.gather(*(client.confirm_funds(tokens, a_check(1)) for _ in range(3)))
        assert_type(answers, list[cbpii.FundsConfirmation])
        pool = cbpii.AsyncSessionPool(client, cbpii.SealedStore("memory", key=bytes(32)))
        session = await pool.keep("claire", tokens)
        async for outcome in pool.confirm_many([(session, a_check(1))]):
            assert_type(outcome.available, bool | None)
        async for due in pool.renewals_due(datetime.now(timezone.utc)):
            assert_type(due.reason, cbpii.RenewalReason)


def frames(pool: cbpii.SessionPool) -> None:
    assert_type(confirm_frame(pd.DataFrame({"iban": ["…"]}), pool, max_in_flight=4), pd.DataFrame)
    assert_type(confirm_frame(pl.DataFrame({"iban": ["…"]}), {"bpce-17515": pool}, amount="sum"), pl.DataFrame)


def own_tests(cbpii_sandbox: Sandbox) -> None:
    assert_type(cbpii_sandbox.client(timeout=1), cbpii.Client)
    assert_type(cbpii_sandbox.bank(), cbpii.Bank)
    assert_type(cbpii_sandbox.approve("https://…", "LEA"), str)
    assert_type(cbpii_sandbox.tokens("LEA"), cbpii.Tokens)
    assert_type(cbpii_sandbox.endpoints["origin"], str)
