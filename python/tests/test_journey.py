"""The whole journey, blocking and asynchronous."""

import asyncio
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cbpii
import pytest
from support import CLAIRE, KEY, Sandbox, bare_client, check, sealed, some_tokens


def test_from_consent_to_answers(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        pending = cbpii.PendingConsent.from_json(client.begin_consent().to_json())
        assert pending.expires_at - pending.created_at == timedelta(minutes=15)
        assert pending.created_at.tzinfo is timezone.utc
        tokens = client.complete_consent(pending, sandbox.approve(pending.url))
        assert tokens.scope == "cbpii"
        assert tokens.consent_expires_at == pending.created_at + timedelta(days=180)
        assert not tokens.is_expired()
        assert tokens == cbpii.Tokens.from_json(tokens.to_json())

        answer = client.confirm_funds(tokens, check("458.99"))
        assert answer.available is True
        assert (answer.reference, answer.bank_id) == ("ORDER-1", "bpce-17515")
        assert answer.response_signature is cbpii.ResponseSignature.UNVERIFIED
        assert answer.duration > timedelta(0)
        assert abs(answer.checked_at - datetime.now(timezone.utc)) < timedelta(minutes=1)
        assert client.confirm_funds(tokens, check("459")).available is False
        with pytest.raises(TypeError, match="truth value"):
            bool(answer)

        refreshed = client.refresh(tokens)
        assert refreshed != tokens
        assert client.confirm_funds(refreshed, check()).available
        assert client.statistics.connections >= 1
        assert client.warm_up(2) == 2


def test_a_cardholder_who_refuses(sandbox: Sandbox) -> None:
    client = sandbox.client()
    pending = client.begin_consent(valid_for=timedelta(minutes=5))
    with pytest.raises(cbpii.ConsentRefusedError) as refusal:
        client.complete_consent(pending, sandbox.approve(pending.url, auto="refuse"))
    assert refusal.value.code == "consent.access_denied"


def test_the_code_in_two_steps(sandbox: Sandbox) -> None:
    client = sandbox.client()
    pending = client.begin_consent()
    code = pending.complete(sandbox.approve(pending.url))
    assert client.exchange_code(pending, code).token_type == "Bearer"
    with pytest.raises(cbpii.ConsentRequiredError, match=r"consent\.code_refused"):
        client.exchange_code(pending, cbpii.AuthorizationCode(code.expose()))


def test_a_session_refreshes_by_itself(sandbox: Sandbox, tmp_path: Path) -> None:
    client = sandbox.client()
    path = tmp_path / "consents.db"
    pool = cbpii.SessionPool(client, cbpii.SealedStore(path, key=KEY))
    session = pool.keep("claire", sandbox.tokens())
    assert session.confirm_funds(check()).available
    sandbox.control("POST", "/tokens/expire", {})
    assert session.confirm_funds(check()).available
    assert session.state is cbpii.ConsentState.ACTIVE
    assert session.next_action is cbpii.NextAction.NONE
    assert not session.has_unsaved_tokens
    events = [moment.event for moment in session.history()]
    assert events == [
        cbpii.ConsentEvent.KEPT,
        cbpii.ConsentEvent.REFRESH_STARTED,
        cbpii.ConsentEvent.REFRESHED,
    ]

    again = cbpii.SessionPool(client, cbpii.SealedStore(f"sqlite://{path}", key=KEY)).open("claire")
    status = again.reload()
    assert (status.state, status.days_left) == (again.state, again.days_left)
    assert (status.consent_expires_at, status.renew_from) == (again.consent_expires_at, again.renew_from)
    assert again.confirm_funds(check()).available

    assert pool.forget("claire") is True
    assert pool.forget("claire") is False
    with pytest.raises(cbpii.ConsentRequiredError, match=r"consent\.unknown"):
        session.confirm_funds(check())
    with pytest.raises(cbpii.ConsentRequiredError, match=r"consent\.unknown"):
        pool.open("claire")


def test_a_forgotten_consent_can_be_kept_anew() -> None:
    pool = cbpii.SessionPool(bare_client(), sealed())
    session = pool.keep("claire", some_tokens())
    assert pool.forget("claire")
    with pytest.raises(cbpii.ConsentRequiredError, match=r"consent\.unknown"):
        pool.open("claire")
    pool.keep("claire", some_tokens())
    assert pool.open("claire").confirm_funds(check()).available
    assert session.confirm_funds(check()).available


def test_a_store_is_named_by_a_path_or_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "consents.db"
    cbpii.SessionPool(bare_client(), cbpii.SealedStore(path, key=KEY)).keep("claire", some_tokens())
    for name in (str(path), "consents.db", "./consents.db", f"sqlite://{path}", "sqlite://consents.db"):
        assert cbpii.SessionPool(bare_client(), cbpii.SealedStore(name, key=KEY)).open("claire").id == "claire"
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith("consents.db")] == []
    for wrong in ("", "sqlite:", "sqlite://", "sqlite:/consents.db", "postgres://localhost/consents"):
        with pytest.raises(cbpii.StoreError, match=r"store\.url"):
            cbpii.SealedStore(wrong, key=KEY)


def test_a_closed_client_says_so(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        pass
    with pytest.raises(cbpii.ConfigurationError, match="closed"):
        client.confirm_funds(sandbox.tokens(), check())


def test_the_journey_for_asyncio(sandbox: Sandbox) -> None:
    async def journey() -> None:
        async with sandbox.async_client() as client:
            pending = client.begin_consent()
            callback = await asyncio.to_thread(sandbox.approve, pending.url)
            tokens = await client.complete_consent(pending, callback)
            assert (await client.confirm_funds(tokens, check())).available
            assert not (await client.confirm_funds(tokens, check("459"))).available
            assert await client.warm_up() == 1
            tokens = await client.refresh(tokens)
            pool = cbpii.AsyncSessionPool(client, sealed())
            session = await pool.keep("claire", tokens)
            assert (await session.confirm_funds(check())).available
            assert (await session.reload()).state is session.state
            assert (await pool.open("claire")).id == "claire"
            due = [one.id async for one in pool.renewals_due(datetime(2200, 1, 1, tzinfo=timezone.utc))]
            assert due == ["claire"]
            assert await pool.forget("claire")
            with pytest.raises(cbpii.ConsentRequiredError):
                await session.confirm_funds(check())
            second = client.begin_consent()
            code = second.complete(await asyncio.to_thread(sandbox.approve, second.url))
            assert await client.exchange_code(second, code)
            assert client.explain(check()).method == "POST"

    asyncio.run(journey())


def test_what_would_be_sent_laid_open(sandbox: Sandbox) -> None:
    explanation = sandbox.client().explain(check(payee="Librairie"))
    headers = dict(explanation.headers)
    assert headers["authorization"] == "Bearer …"
    assert explanation.signing_string is not None
    assert explanation.signing_string.startswith("(request-target): post ")
    assert explanation.key_id == sandbox.issuer["client_id"]
    assert "FR76…4006" in explanation.body
    assert CLAIRE not in str(explanation) + repr(explanation)
    assert str(explanation).startswith("POST https://")
