"""Signers, transports, clocks, stores and listeners written in Python."""

import logging
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cbpii
import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support import CLAIRE, KEY, Sandbox, bare_client, check, saying, sealed, some_tokens

Signature = cbpii.SignatureAlgorithm


def signer_of(path: str) -> Any:
    """A signer as an HSM's would be: it has the key, the package does not."""
    key = load_pem_private_key(Path(path).read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)

    def sign(algorithm: Signature, message: bytes) -> bytes:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        scheme = {Signature.RSA_PKCS1_SHA256: padding.PKCS1v15(), Signature.RSA_PSS_SHA256: pss}[algorithm]
        return key.sign(message, scheme, hashes.SHA256())

    return sign


def test_signers_for_both_identities(sandbox: Sandbox) -> None:
    qwac, qsealc = sandbox.issuer["qwac"], sandbox.issuer["qsealc"]
    issuer = sandbox.own_issuer(
        transport=cbpii.TransportIdentity.with_signer(
            Path(qwac["chain"]), signer_of(qwac["key"]), [Signature.RSA_PSS_SHA256, "rsa-pkcs1-sha256"]
        ),
        seal=cbpii.SealIdentity.with_signer(Path(qsealc["chain"]), signer_of(qsealc["key"]), ["rsa-pkcs1-sha256"]),
    )
    with cbpii.Client(sandbox.bank(), issuer) as client:
        assert client.confirm_funds(sandbox.tokens(), check()).available


def test_a_signer_that_fails_is_named_and_its_exception_kept(sandbox: Sandbox) -> None:
    def sign(algorithm: Signature, message: bytes) -> bytes:
        raise PermissionError("the token is locked")

    def wrong(algorithm: Signature, message: bytes) -> bytes:
        return "not bytes"  # type: ignore[return-value]

    def own(algorithm: Signature, message: bytes) -> bytes:
        raise cbpii.CbpiiError("configuration.signer_failed", "The HSM is locked; unlock it.")

    for signer, cause, text in [
        (sign, PermissionError, "PermissionError"),
        (wrong, TypeError, "TypeError"),
        (own, cbpii.ConfigurationError, "The HSM is locked"),
    ]:
        seal = cbpii.SealIdentity.with_signer(Path(sandbox.issuer["qsealc"]["chain"]), signer, ["rsa-pkcs1-sha256"])
        client = cbpii.Client(sandbox.bank(), sandbox.own_issuer(seal=seal))
        with pytest.raises(cbpii.ConfigurationError, match=text) as failure:
            client.confirm_funds(some_tokens(), check())
        assert failure.value.code == "configuration.signer_failed"
        assert isinstance(failure.value.__cause__, cause)
    assert sandbox.requests() == []


def test_a_signer_offers_known_algorithms(sandbox: Sandbox) -> None:
    chain = Path(sandbox.issuer["qwac"]["chain"])
    for algorithms in ([], ["rot13"], ["rsa-pkcs1-sha256"]):
        with pytest.raises(cbpii.ConfigurationError):
            cbpii.TransportIdentity.with_signer(chain, signer_of(sandbox.issuer["qwac"]["key"]), algorithms)
    with pytest.raises(TypeError):
        cbpii.SealIdentity.with_signer(chain, "no callable", ["rsa-pkcs1-sha256"])  # type: ignore[arg-type]


def test_a_transport_on_httpx(sandbox: Sandbox) -> None:
    import ssl

    tls = ssl.create_default_context(cafile=sandbox.issuer["ca"])
    tls.load_cert_chain(sandbox.issuer["qwac"]["chain"], sandbox.issuer["qwac"]["key"])
    with httpx.Client(verify=tls, trust_env=False) as http:

        def transport(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
            assert 0 < request.timeout <= 10
            answer = http.request(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.body,
                timeout=request.timeout,
            )
            return cbpii.HttpResponse(answer.status_code, tuple(answer.headers.items()), answer.content)

        client = sandbox.client(transport=transport)
        pending = client.begin_consent()
        tokens = client.complete_consent(pending, sandbox.approve(pending.url))
        assert client.confirm_funds(tokens, check()).available
        assert client.refresh(tokens)


def test_a_transport_sees_everything_and_shows_little() -> None:
    heard: list[cbpii.HttpRequest] = []
    client, tokens = bare_client(transport=saying(heard=heard)), some_tokens()
    assert client.confirm_funds(tokens, check(request_id="id-1"), timeout=3).available
    request = heard[0]
    assert request.method == "POST"
    assert dict(request.headers)["authorization"] == "Bearer secret-access-token"
    assert dict(request.headers)["x-request-id"] == "id-1"
    assert CLAIRE.encode() in request.body
    assert 0 < request.timeout <= 3
    assert not request.fresh_connection
    assert request.cancel is not None
    assert not request.cancel.cancelled
    assert "secret" not in repr(request)
    assert CLAIRE not in repr(request)


def test_a_transport_that_fails() -> None:
    def broken(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        raise OSError("no route")

    def refusing(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        raise cbpii.CbpiiError("network.connect", "The gateway is away.", request_sent=cbpii.RequestSent.NO)

    def silent(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        raise cbpii.NetworkError("network.disconnected", "The gateway broke off, and does not say when.")

    def talkative(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        return cbpii.HttpResponse(200, (), bytes(2**20 + 1))

    def empty(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        return None  # type: ignore[return-value]

    def impossible(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        return cbpii.HttpResponse(99, (), b"")

    for transport, code, sent, cause in [
        (broken, "network.transport_failed", "unknown", OSError),
        (refusing, "network.connect", "no", cbpii.NetworkError),
        (silent, "network.disconnected", "unknown", cbpii.NetworkError),
        (talkative, "protocol.answer_too_large", "yes", None),
        (empty, "network.transport_failed", "unknown", AttributeError),
        (impossible, "protocol.malformed_http", "yes", None),
    ]:
        client = bare_client(transport=transport, retries=0)
        with pytest.raises(cbpii.CbpiiError) as failure:
            client.confirm_funds(some_tokens(), check())
        assert (failure.value.code, failure.value.request_sent) == (code, sent)
        assert (failure.value.__cause__ is None) if cause is None else isinstance(failure.value.__cause__, cause)


def test_headers_of_an_answer_may_be_a_mapping() -> None:
    def transport(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        answer = saying()(request)
        return cbpii.HttpResponse(answer.status, {"x-correlationid": "c-1"}, answer.body)  # type: ignore[arg-type]

    assert bare_client(transport=transport).confirm_funds(some_tokens(), check()).correlation_id == "c-1"


def test_a_clock() -> None:
    now = datetime(2026, 11, 23, 13, 0, tzinfo=timezone.utc)
    client = bare_client(clock=lambda: now)
    pending = client.begin_consent()
    assert pending.created_at == now
    assert client.confirm_funds(some_tokens(), check()).checked_at == now
    session = cbpii.SessionPool(client, sealed()).keep(
        "claire", some_tokens(obtained_at=now, consent_expires_at=now + timedelta(days=10))
    )
    assert (session.state, session.days_left) == (cbpii.ConsentState.RENEW_SOON, 10)
    now += timedelta(days=10)
    assert session.state is cbpii.ConsentState.EXPIRED
    with pytest.raises(cbpii.ConsentRequiredError, match=r"consent\.expired"):
        session.confirm_funds(check())


def test_a_clock_that_fails_is_reported_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_value))
    client = bare_client(clock=lambda: datetime(2026, 1, 1))
    created = client.begin_consent().created_at
    assert abs(created - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert "time zone" in str(reported[0])


def test_a_logger_is_asked_what_it_wants_at_every_call(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    client, tokens = sandbox.client(), sandbox.tokens()
    said = []
    for level in (logging.INFO, logging.DEBUG, logging.WARNING):
        with caplog.at_level(level, logger="cbpii"):
            client.confirm_funds(tokens, check())
            said.append(len(caplog.records))
    assert said == [0, 1, 1]


def test_events_go_to_a_listener_and_to_logging(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    events: list[cbpii.Event] = []
    client, tokens = sandbox.client(on_event=events.append), sandbox.tokens()
    with caplog.at_level(logging.DEBUG, logger="cbpii"):
        sandbox.fault("funds", "answer", status=503, headers=[], content_type=None, body="")
        answer = client.confirm_funds(tokens, check())
    first, second = events
    assert (first.operation, first.attempt, first.http_status) == (cbpii.Operation.CONFIRM_FUNDS, 1, 503)
    assert (first.error, first.bank_id, first.request_id) == ("bank.unavailable", "bpce-17515", answer.request_id)
    assert (second.attempt, second.http_status, second.error) == (2, 200, None)
    assert second.duration > timedelta(0)
    assert [record.name for record in caplog.records] == ["cbpii", "cbpii"]
    assert "confirm_funds bank=bpce-17515 attempt=1" in caplog.text
    for secret in (tokens.access_token.expose(), CLAIRE, CLAIRE[4:20]):
        assert secret not in caplog.text + repr(events)


def test_a_listener_that_fails_does_not_end_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_value))

    def listener(event: cbpii.Event) -> None:
        raise LookupError("not today")

    assert bare_client(on_event=listener).confirm_funds(some_tokens(), check()).available
    assert isinstance(reported[0], LookupError)


def test_callables_are_checked() -> None:
    for name in ("clock", "transport", "on_event"):
        with pytest.raises(TypeError, match=name):
            bare_client(**{name: "no callable"})


class Shelf(cbpii.ConsentStore):
    """A store in memory."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.records: dict[str, cbpii.StoredRecord] = {}
        self.version = 0
        self.failure: Exception | None = None

    def load(self, id: str) -> cbpii.StoredRecord | None:
        if self.failure:
            raise self.failure
        return self.records.get(id)

    def save(self, id: str, sealed: bytes, due_at: datetime, expected: int | None) -> int | None:
        with self.lock:
            there = self.records.get(id)
            if (None if there is None else there.version) != expected:
                return None
            self.version += 1
            self.records[id] = cbpii.StoredRecord(sealed, due_at, self.version)
            return self.version

    def delete(self, id: str) -> bool:
        return self.records.pop(id, None) is not None

    def list(self, due_before: datetime, after: cbpii.DueRecord | None, limit: int) -> "list[cbpii.DueRecord]":
        def order(line: cbpii.DueRecord) -> tuple[datetime, bytes]:
            return line.due_at, line.id.encode()

        lines = [cbpii.DueRecord(id, record.due_at) for id, record in self.records.items() if record.due_at < due_before]
        return sorted((line for line in lines if after is None or order(line) > order(after)), key=order)[:limit]


def test_a_store_written_in_python(sandbox: Sandbox) -> None:
    shelf = Shelf()
    store = cbpii.SealedStore(shelf, key=KEY)
    pool = cbpii.SessionPool(sandbox.client(), store)
    tokens = sandbox.tokens()
    session = pool.keep("claire", tokens)
    sandbox.control("POST", "/tokens/expire", {})
    assert session.confirm_funds(check()).available
    assert tokens.access_token.expose().encode() not in shelf.records["claire"].sealed
    assert [due.id for due in store.renewals_due(datetime(2200, 1, 1, tzinfo=timezone.utc))] == ["claire"]
    assert "sealed=<" in repr(shelf.records["claire"])
    new_key = bytes(32)
    assert cbpii.SealedStore(shelf, key=new_key, old_keys=[KEY]).reseal() == 1
    with pytest.raises(cbpii.StoreError, match=r"store\.key"):
        cbpii.SessionPool(sandbox.client(), store).open("claire")
    assert cbpii.SessionPool(sandbox.client(), cbpii.SealedStore(shelf, key=new_key)).open("claire").reload()
    assert pool.forget("claire")
    assert shelf.records == {}


def test_a_store_that_fails() -> None:
    shelf = Shelf()
    pool = cbpii.SessionPool(bare_client(), cbpii.SealedStore(shelf, key=KEY))
    shelf.failure = ConnectionResetError("the database is away")
    with pytest.raises(cbpii.StoreError, match="ConnectionResetError") as failure:
        pool.open("claire")
    assert failure.value.code == "store.failed"
    assert failure.value.__cause__ is shelf.failure
    shelf.failure = cbpii.CbpiiError("store.full", "There is no room.")
    with pytest.raises(cbpii.StoreError, match="There is no room"):
        pool.keep("claire", some_tokens())
