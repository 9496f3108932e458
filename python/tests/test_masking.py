"""What is secret does not leave by accident."""

import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import cbpii
import pytest
from support import CLAIRE, Sandbox, bare_client, check, sealed, some_tokens


def secret_things(sandbox: Sandbox) -> list[Any]:
    issuer = sandbox.own_issuer(client_secret="the-client-secret")
    client = sandbox.client()
    tokens = some_tokens()
    store = sealed()
    pool = cbpii.SessionPool(client, store)
    request = check(psu=cbpii.PsuContext(ip_address="192.0.2.1"))
    code = cbpii.AuthorizationCode("secret-authorization-code")
    return [
        cbpii.Secret("secret-text-of-some-length"),
        cbpii.Iban(CLAIRE),
        cbpii.Account(CLAIRE),
        cbpii.FundsCheck("claire", request),
        cbpii.TransportIdentity(Path(sandbox.issuer["qwac"]["chain"]), Path(sandbox.issuer["qwac"]["key"])),
        client.explain(request),
        issuer,
        client,
        tokens,
        tokens.access_token,
        store,
        pool,
        pool.keep("claire", tokens),
        request,
        code,
        client.begin_consent(),
        sandbox.seal(),
        sandbox.async_client(),
    ]


def test_nothing_shows_a_secret(sandbox: Sandbox) -> None:
    key = Path(sandbox.issuer["qwac"]["key"]).read_text().splitlines()[1]
    secrets = [CLAIRE, CLAIRE[4:], "secret-access-token", "secret-refresh-token", "the-client-secret"]
    secrets += ["secret-authorization-code", "secret-text-of-some-length", "192.0.2.1", key]
    for thing in secret_things(sandbox):
        shown = [repr(thing), str(thing), f"{thing}", repr([thing]), ascii(thing)]
        for secret in secrets:
            assert all(secret not in text for text in shown), type(thing)
        assert type(thing).__name__ in repr(thing) or isinstance(thing, (cbpii.AsyncClient,))


def test_a_pending_consent_shows_neither_state_nor_verifier() -> None:
    pending = bare_client().begin_consent()
    assert pending.state not in repr(pending) + str(pending)


def test_secrets_neither_pickle_nor_compare_with_text() -> None:
    secret = cbpii.Secret("a-secret")
    assert secret == cbpii.Secret("a-secret") != cbpii.Secret("b-secret")
    assert secret != "a-secret"
    assert secret.expose() == "a-secret"
    things = [secret, some_tokens(), cbpii.AuthorizationCode("abc"), bare_client().begin_consent()]
    for thing in things:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match=r"to_json|expose"):
                pickle.dumps(thing, protocol)
    with pytest.raises(TypeError):
        hash(secret)


def test_clients_and_keys_do_not_pickle(sandbox: Sandbox) -> None:
    pool = cbpii.SessionPool(bare_client(), sealed())
    for thing in (bare_client(), sandbox.seal(), sandbox.transport(), sandbox.own_issuer(), pool.store, pool):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(thing)


def test_tracebacks_and_logs_hold_no_secret(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client, tokens = sandbox.client(), sandbox.tokens()
        body = f'{{"message": "NGAC: compte {CLAIRE} refusé"}}'
        sandbox.fault("funds", "answer", status=403, headers=[], content_type="application/json", body=body)
        with pytest.raises(cbpii.BankRefusedError) as raised:
            client.confirm_funds(tokens, check())
        client.refresh(tokens)
    assert raised.value.bank_message == "NGAC: compte FR76…4006 refusé"
    told = "".join(traceback.format_exception(raised.value)) + caplog.text + str(raised.value.explanation)
    assert tokens.refresh_token is not None
    for secret in (CLAIRE, CLAIRE[4:], tokens.access_token.expose(), tokens.refresh_token.expose()):
        assert secret not in told
