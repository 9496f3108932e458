"""The catalogue, the classes, and every code that a call from Python can come to."""

import contextlib
import json
import pickle
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cbpii
import pytest
from cbpii import _cbpii
from support import CLAIRE, KEY, Sandbox, bare_client, check, sealed, some_tokens

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)
OLD_ENCRYPTION = """-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF

AAAA
-----END RSA PRIVATE KEY-----
"""


class World:
    """A bank and an empty folder, for what provokes an error."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder

    def ask(self, client: cbpii.Client | None = None, tokens: cbpii.Tokens | None = None, **options: Any) -> None:
        client = client or self.sandbox.client(retries=0, **options)
        client.confirm_funds(tokens or self.sandbox.tokens(), check())

    def faulty(self, kind: str, endpoint: str = "funds", **members: Any) -> None:
        """A check under a fault."""
        self.sandbox.fault(endpoint, kind, times=None, **members)
        self.ask()

    def answered(self, status: int, body: object) -> None:
        self.faulty("answer", status=status, headers=[], content_type="application/json", body=json.dumps(body))

    def with_bank(self, **changes: Any) -> cbpii.Client:
        return cbpii.Client(self.sandbox.bank().replace(**changes), self.sandbox.own_issuer(), retries=0)

    def with_qwac(self, variant: str | None, **options: Any) -> cbpii.Client:
        transport = None if variant is None else self.sandbox.transport(variant)
        return cbpii.Client(self.sandbox.bank(), self.sandbox.own_issuer(transport=transport), **options)

    def persona(self, code: str) -> None:
        """A check by the persona whose account the bank refuses so."""
        for persona in self.sandbox.control("GET", "/personas"):
            if (persona.get("refusal") or {}).get("code") == code:
                tokens = self.sandbox.tokens(persona["id"])
                self.sandbox.client(retries=0).confirm_funds(tokens, check(iban=persona["iban"]))
        raise AssertionError(f"no persona is refused with {code}")

    def called_back(self, parameters: str) -> None:
        pending = self.sandbox.client().begin_consent()
        pending.complete("?" + parameters.replace("STATE", pending.state))

    def certificate(self, name: str) -> None:
        self.faulty("server_certificate", "connection", certificate=name)

    def elsewhere(self, origin: str, **options: Any) -> None:
        client = cbpii.Client(self.sandbox.bank().with_origin(origin), self.sandbox.own_issuer(), retries=0, **options)
        self.ask(client)

    def database(self, **options: Any) -> cbpii.SessionPool:
        return cbpii.SessionPool(bare_client(), cbpii.SealedStore(self.folder / "consents.db", key=KEY, **options))

    def key_of(self, form: str) -> Path:
        return Path(self.sandbox.issuer["qwac_forms"][form])

    def chain(self) -> Path:
        return Path(self.sandbox.issuer["qwac"]["chain"])


def failing_signer(world: World) -> None:
    def sign(algorithm: cbpii.SignatureAlgorithm, message: bytes) -> bytes:
        raise OSError("locked")

    seal = cbpii.SealIdentity.with_signer(Path(world.sandbox.issuer["qsealc"]["chain"]), sign, ["rsa-pkcs1-sha256"])
    world.ask(cbpii.Client(world.sandbox.bank(), world.sandbox.own_issuer(seal=seal)))


def code_used_twice(world: World) -> None:
    client = world.sandbox.client()
    pending = client.begin_consent()
    code = pending.complete(world.sandbox.approve(pending.url))
    client.exchange_code(pending, code)
    client.exchange_code(pending, code)


def withdrawn(world: World) -> None:
    tokens = world.sandbox.tokens()
    world.sandbox.control("POST", "/consents/revoke", {"persona": "CLAIRE"})
    world.sandbox.client().refresh(tokens)


def access_token_expired(world: World) -> None:
    tokens = world.sandbox.tokens()
    world.sandbox.control("POST", "/tokens/expire", {})
    world.ask(tokens=tokens)


def refresh_answer_lost(world: World) -> None:
    with Sandbox("--rotation", "rotated") as sandbox:
        now = datetime.now(timezone.utc)
        bank = sandbox.bank().replace(refresh_token_rotation="unknown")
        client = cbpii.Client(bank, sandbox.own_issuer(), clock=lambda: now)
        given = sandbox.tokens()
        tokens = some_tokens(
            access_token=given.access_token, refresh_token=given.refresh_token, obtained_at=LONG_AGO, expires_at=LONG_AGO
        )
        session = cbpii.SessionPool(client, sealed()).keep("claire", tokens)
        sandbox.fault("token", "answer_lost")
        with pytest.raises(cbpii.NetworkError):
            session.confirm_funds(check())
        now += timedelta(seconds=10)
        session.confirm_funds(check())


def consent_over(world: World) -> None:
    tokens = some_tokens(obtained_at=LONG_AGO, consent_expires_at=LONG_AGO)
    cbpii.SessionPool(world.sandbox.client(), sealed()).keep("claire", tokens).confirm_funds(check())


def unknown_client(world: World) -> None:
    issuer = world.sandbox.own_issuer(client_id="PSDFR-ACPR-99999")
    cbpii.Client(world.sandbox.bank(), issuer).refresh(world.sandbox.tokens())


def unusable_token_answer(world: World) -> None:
    world.sandbox.fault("token", "answer_patch", patch={"access_token": None})
    world.sandbox.client().refresh(world.sandbox.tokens())


def wrongly_signed(world: World) -> None:
    seal = Path(world.sandbox.issuer["bank_seal"]).read_text()
    client = world.with_bank(response_signing_certificates=(seal,))
    world.ask(client)
    world.sandbox.fault("funds", "bad_signature")
    world.ask(client)


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None] = lambda connection: None) -> Iterator[str]:
    """The origin of a server on loopback; it keeps what connects open until the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        open_ones: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                open_ones.append(connection)
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in open_ones:
                connection.close()


def no_answer(world: World) -> None:
    world.sandbox.fault("funds", "stall", times=None)
    world.ask(timeout=0.3)


def silent(world: World) -> None:
    with listening() as host:
        world.elsewhere(f"https://{host}", connect_timeout=0.2)


def nobody_listens(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    world.elsewhere(f"https://127.0.0.1:{port}")


def refusing_proxy(world: World) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

    with listening(refuse) as host:
        world.elsewhere("https://localhost:1", proxy=f"http://{host}")


def server_of_the_future(world: World) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2100, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(2101, 1, 1, tzinfo=timezone.utc))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    (world.folder / "bank.pem").write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(world.folder / "bank.pem")

    def shake_hands(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), tls.wrap_socket(connection, server_side=True):
            pass

    with listening(shake_hands) as host:
        bank = world.sandbox.bank().with_origin(f"https://localhost:{host.rpartition(':')[2]}")
        world.ask(cbpii.Client(bank.with_trust_anchor(pem, mode="replace"), world.sandbox.own_issuer(), retries=0))


def own_store_fails(code: str) -> Callable[[World], None]:
    def provoke(world: World) -> None:
        class Failing(cbpii.ConsentStore):
            def load(self, id: str) -> cbpii.StoredRecord | None:
                raise cbpii.CbpiiError(code, "The store failed; look there.")

            def save(self, id: str, sealed: bytes, due_at: datetime, expected: int | None) -> int | None:
                raise NotImplementedError

            def delete(self, id: str) -> bool:
                raise NotImplementedError

            def list(self, due_before: datetime, after: cbpii.DueRecord | None, limit: int) -> "list[cbpii.DueRecord]":
                raise NotImplementedError

        cbpii.SessionPool(bare_client(), cbpii.SealedStore(Failing(), key=KEY)).open("claire")

    return provoke


LOCK = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def store_locked(world: World) -> None:
    pool = world.database(busy_timeout=0.02)
    # Another process: the locks of one process do not hold between two libraries in it.
    command = [sys.executable, "-c", LOCK, str(world.folder / "consents.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        pool.keep("claire", some_tokens())


def store_read_only(world: World) -> None:
    world.database()
    world.database(read_only=True).keep("claire", some_tokens())


def store_overwritten(world: World) -> None:
    (world.folder / "consents.db").write_bytes(b"Z" * 8192)
    world.database()


def store_of_a_newer_release(world: World) -> None:
    world.database()
    other = sqlite3.connect(world.folder / "consents.db")
    other.execute("PRAGMA user_version = 9999")
    other.close()
    world.database()


def consent_of_another_bank(world: World) -> None:
    store = sealed()
    cbpii.SessionPool(bare_client(), store).keep("claire", some_tokens())
    cbpii.SessionPool(world.with_bank(id="another"), store).open("claire")


def cancelled(world: World) -> None:
    token = cbpii.CancelToken()
    token.cancel()
    world.sandbox.client().confirm_funds(world.sandbox.tokens(), check(), cancel=token)


def an_issuer(**changes: Any) -> cbpii.Issuer:
    return cbpii.Issuer(**{"client_id": "PSDFR-ACPR-12345", "redirect_uri": "https://issuer.example/callback", **changes})


def too_late(world: World) -> None:
    pending = bare_client().begin_consent()
    pending.complete(f"?code=abc&state={pending.state}", now=pending.expires_at)


PROVOKED: dict[str, Callable[[World], object]] = {
    "configuration.bank_record": lambda world: cbpii.Bank.from_json("[]"),
    "configuration.bank_unknown": lambda world: cbpii.Bank.bpce("99999", "sandbox"),
    "configuration.endpoint_missing": lambda world: world.with_bank(funds_url=None),
    "configuration.endpoint_invalid": lambda world: world.with_bank(funds_url="http://localhost/funds"),
    "configuration.redirect_uri": lambda world: an_issuer(redirect_uri="/callback"),
    "configuration.client_id": lambda world: an_issuer(client_id=""),
    "configuration.client_secret": lambda world: world.with_bank(client_authentication="client_secret_post"),
    "configuration.certificate_unreadable": lambda world: cbpii.TransportIdentity(b"hello", world.key_of("pkcs1_pem")),
    "configuration.key_unreadable": lambda world: cbpii.TransportIdentity(world.chain(), world.folder / "nothing.key"),
    "configuration.key_password": lambda world: cbpii.TransportIdentity(
        world.chain(), world.key_of("encrypted_pkcs8_pem"), password="wrong"
    ),
    "configuration.key_unsupported": lambda world: cbpii.SealIdentity(world.chain(), OLD_ENCRYPTION, password="sandbox"),
    "configuration.key_mismatch": lambda world: cbpii.SealIdentity(
        world.chain(), Path(world.sandbox.issuer["qsealc"]["key"])
    ),
    "configuration.seal_missing": lambda world: cbpii.Client(world.sandbox.bank(), world.sandbox.own_issuer(seal=None)),
    "configuration.trust_anchor": lambda world: world.sandbox.bank().with_trust_anchor("no certificate"),
    "configuration.header": lambda world: world.sandbox.seal(key_id='a"b'),
    "configuration.proxy": lambda world: bare_client(proxy="https://proxy.example:3128", transport=None),
    "configuration.option": lambda world: bare_client(timeout=0),
    "configuration.signer_failed": failing_signer,
    "eligibility.not_a_cbpii": lambda world: world.with_qwac("no-role"),
    "eligibility.certificate_expired": lambda world: world.with_qwac("expired"),
    "eligibility.certificate_not_yet_valid": lambda world: world.with_qwac("not-yet-valid"),
    "eligibility.certificate_wrong_use": lambda world: world.with_qwac("eseal-as-qwac"),
    "eligibility.certificate_pss": lambda world: world.with_qwac("rsassa-pss"),
    "request.reference": lambda world: cbpii.FundsRequest(reference="", account=CLAIRE, amount=1, currency="EUR"),
    "request.iban": lambda world: cbpii.Iban("FR7717515900000800358074006"),
    "request.account": lambda world: cbpii.Account.other("", "CPAN"),
    "request.amount": lambda world: cbpii.Amount("-1", "EUR"),
    "request.currency": lambda world: cbpii.Amount("1", "ABC"),
    "request.payee": lambda world: check(payee="x" * 71),
    "request.psu_header": lambda world: check(psu=cbpii.PsuContext(referer="a\nb")),
    "request.request_id": lambda world: check(request_id="a b"),
    "request.token": lambda world: some_tokens(access_token="access token"),
    "request.saved_state": lambda world: cbpii.Tokens.from_json("{}"),
    "request.callback": lambda world: bare_client().begin_consent().complete("hello"),
    "request.consent_id": lambda world: cbpii.SessionPool(bare_client(), sealed()).open(""),
    "request.argument": lambda world: some_tokens(obtained_at=datetime(2026, 1, 1)),
    "consent.access_denied": lambda world: world.called_back("error=access_denied&state=STATE"),
    "consent.refused_by_bank": lambda world: world.called_back("error=invalid_scope&state=STATE"),
    "consent.pending_expired": too_late,
    "consent.code_refused": code_used_twice,
    "consent.lost": withdrawn,
    "consent.no_refresh_token": lambda world: bare_client().refresh(some_tokens(refresh_token=None)),
    "consent.access_token_refused": access_token_expired,
    "consent.refresh_answer_lost": refresh_answer_lost,
    "consent.expired": consent_over,
    "consent.unknown": lambda world: cbpii.SessionPool(bare_client(), sealed()).open("nobody"),
    "bank.account_unknown": lambda world: world.persona("AC01"),
    "bank.account_closed": lambda world: world.persona("AC04"),
    "bank.account_blocked": lambda world: world.persona("AC06"),
    "bank.tpp_unknown": lambda world: world.persona("BE05"),
    "bank.wrong_role": lambda world: world.ask(tokens=world.sandbox.tokens(scope="aisp")),
    "bank.access_not_granted": lambda world: world.persona("NGAC"),
    "bank.no_eligible_account": lambda world: world.persona("NAAC"),
    "bank.psu_unknown": lambda world: world.persona("IPSU"),
    "bank.not_implemented": lambda world: world.answered(501, {"message": "NIMP: not implemented"}),
    "bank.request_refused": lambda world: world.answered(400, {"message": "malformed"}),
    "bank.forbidden": lambda world: world.answered(403, {"message": "forbidden"}),
    "bank.not_found": lambda world: world.ask(
        world.with_bank(funds_url=world.sandbox.endpoints["origin"] + "/stet/psd2/v9/funds-confirmations")
    ),
    "bank.form_refused": lambda world: world.answered(415, {}),
    "bank.client_refused": unknown_client,
    "bank.token_request_refused": lambda world: world.with_bank(scope_in_token_request=True).refresh(world.sandbox.tokens()),
    "bank.rate_limited": lambda world: world.persona("TMRQ"),
    "bank.internal_error": lambda world: world.persona("INTE"),
    "bank.unavailable": lambda world: world.faulty("html_page", status=503),
    "consent.bank_unavailable": lambda world: world.called_back("error=temporarily_unavailable&state=STATE"),
    "timeout.connect": silent,
    "timeout.total": no_answer,
    "network.name_lookup": lambda world: world.elsewhere(f"https://{'a' * 70}.invalid"),
    "network.connect": nobody_listens,
    "network.disconnected": lambda world: world.faulty("reset_before_reading"),
    "network.proxy": refusing_proxy,
    "network.transport_failed": lambda world: bare_client(transport=lambda request: 1 / 0).confirm_funds(
        some_tokens(), check()
    ),
    "tls.unknown_issuer": lambda world: world.certificate("unknown-issuer"),
    "tls.host_name": lambda world: world.certificate("other-host"),
    "tls.server_certificate_expired": lambda world: world.certificate("expired"),
    "tls.server_certificate_invalid": server_of_the_future,
    "tls.client_certificate_missing": lambda world: world.ask(world.with_qwac(None, check_eligibility=False)),
    "tls.client_certificate_refused": lambda world: world.ask(world.with_qwac("unknown-ca", check_eligibility=False)),
    "tls.protocol": lambda world: world.faulty("garbage", "connection"),
    "consent.state_mismatch": lambda world: world.called_back("code=abc&state=other"),
    "consent.issuer_mismatch": lambda world: world.called_back("code=abc&state=STATE&iss=https://evil.example"),
    "consent.duplicated_parameter": lambda world: world.called_back("code=abc&code=def&state=STATE"),
    "consent.callback_without_answer": lambda world: world.called_back("state=STATE"),
    "protocol.not_json": lambda world: world.faulty("html_page", status=200),
    "protocol.answer_shape": lambda world: world.faulty("answer_patch", patch={"result": None}),
    "protocol.result_not_boolean": lambda world: world.faulty("answer_patch", patch={"result": "true"}),
    "protocol.echo_mismatch": lambda world: world.faulty(
        "answer_patch", patch={"request": {"instructedAmount": {"amount": "1.00"}}}
    ),
    "protocol.redirected": lambda world: world.faulty("redirect", status=307, location="https://localhost:1/"),
    "protocol.unexpected_status": lambda world: world.answered(202, {}),
    "protocol.digest_mismatch": lambda world: world.faulty("bad_digest"),
    "protocol.signature_invalid": wrongly_signed,
    "protocol.answer_too_large": lambda world: world.faulty("oversized_body"),
    "protocol.malformed_http": lambda world: world.faulty("garbage"),
    "protocol.token_answer": unusable_token_answer,
    "store.failed": own_store_fails("store.failed"),
    "store.locked": store_locked,
    "store.read_only": store_read_only,
    "store.full": own_store_fails("store.full"),
    "store.corrupt": store_overwritten,
    "store.unreachable": lambda world: cbpii.SealedStore(world.folder / "further" / "consents.db", key=KEY),
    "store.schema": store_of_a_newer_release,
    "store.key": lambda world: cbpii.SealedStore("memory", key=KEY[:31]),
    "store.url": lambda world: cbpii.SealedStore("redis://localhost", key=KEY),
    "store.bank": consent_of_another_bank,
    "cancelled": cancelled,
    "internal": lambda world: _cbpii._panic("direct"),
}


def test_every_code_is_provoked() -> None:
    assert list(PROVOKED) == list(cbpii.CATALOGUE)


@pytest.mark.parametrize("code", PROVOKED)
def test_provoked(code: str, sandbox: Sandbox, tmp_path: Path) -> None:
    entry = cbpii.CATALOGUE[code]
    with pytest.raises(cbpii.CbpiiError) as raised:
        PROVOKED[code](World(sandbox, tmp_path))
    error = raised.value
    assert error.code == code
    assert (error.kind, error.number) == (entry.kind, entry.number)
    assert error.advice == (cbpii.Advice.RETRY_AFTER if error.retry_after else entry.advice)
    assert type(error) is CLASSES[entry.kind]
    assert str(error) == f"{error.message} [{code}]"
    assert error.message.endswith(".")
    sent_by_the_bank = error.http_status is not None
    assert not sent_by_the_bank or error.request_sent is cbpii.RequestSent.YES
    assert CLAIRE not in str(error) + repr(error) + str(error.explanation) + repr(error.explanation)


CLASSES: dict[cbpii.ErrorKind, type[cbpii.CbpiiError]] = {
    cbpii.ErrorKind.CONFIGURATION: cbpii.ConfigurationError,
    cbpii.ErrorKind.ELIGIBILITY: cbpii.EligibilityError,
    cbpii.ErrorKind.INVALID_REQUEST: cbpii.InvalidRequestError,
    cbpii.ErrorKind.CONSENT_REFUSED: cbpii.ConsentRefusedError,
    cbpii.ErrorKind.CONSENT_REQUIRED: cbpii.ConsentRequiredError,
    cbpii.ErrorKind.BANK_REFUSED: cbpii.BankRefusedError,
    cbpii.ErrorKind.RATE_LIMITED: cbpii.RateLimitedError,
    cbpii.ErrorKind.BANK_UNAVAILABLE: cbpii.BankUnavailableError,
    cbpii.ErrorKind.TIMEOUT: cbpii.CallTimeoutError,
    cbpii.ErrorKind.NETWORK: cbpii.NetworkError,
    cbpii.ErrorKind.TLS: cbpii.TlsError,
    cbpii.ErrorKind.PROTOCOL: cbpii.ProtocolError,
    cbpii.ErrorKind.STORE: cbpii.StoreError,
    cbpii.ErrorKind.CANCELLED: cbpii.CallCancelledError,
    cbpii.ErrorKind.INTERNAL: cbpii.InternalError,
}


def test_classes_kinds_and_codes_are_the_cores() -> None:
    catalogue = _cbpii._catalogue()
    assert [code for code, *_ in catalogue] == list(cbpii.CATALOGUE)
    kinds = list(dict.fromkeys(kind for _, _, kind, _, _ in catalogue))
    assert kinds == [kind.value for kind in cbpii.ErrorKind] == [kind.value for kind in CLASSES]
    assert {advice for *_, advice, _ in catalogue} == {advice.value for advice in cbpii.Advice}
    assert set(cbpii.CbpiiError.__subclasses__()) == set(CLASSES.values())
    for code, number, kind, _, summary in catalogue:
        error = cbpii.CbpiiError(code, "A sentence.")
        assert type(error) is CLASSES[cbpii.ErrorKind(kind)]
        assert number // 1000 == kinds.index(kind) + 1
        assert summary.endswith(".")


def test_the_errors_are_those_of_the_manual() -> None:
    page = (Path(__file__).parents[2] / "core/src/manual/error_catalogue.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)`<br>(\d+) `(.+?)` \| (.+?) \| .+ \|$", page, re.MULTILINE)
    entries = cbpii.CATALOGUE.values()
    assert rows == [(entry.code, str(entry.number), entry.advice.value, entry.summary) for entry in entries]
    names = dict(re.findall(r"^\| `(\w+)` \| `[A-Z_]+` \| `(\w+)` \|", page, re.MULTILINE))
    assert names == {kind.value: one.__name__ for kind, one in CLASSES.items()}


def test_standard_classes_catch_them() -> None:
    for kind, standard in [
        (cbpii.ConfigurationError, ValueError),
        (cbpii.InvalidRequestError, ValueError),
        (cbpii.CallTimeoutError, TimeoutError),
        (cbpii.NetworkError, ConnectionError),
        (cbpii.TlsError, ConnectionError),
    ]:
        assert issubclass(kind, standard)


def test_an_error_carries_its_facts(sandbox: Sandbox) -> None:
    tokens = sandbox.tokens("THEO")
    with pytest.raises(cbpii.RateLimitedError) as raised:
        sandbox.client().confirm_funds(tokens, check(iban="FR7617515006000000441070713"))
    error = raised.value
    assert error.retry_after == timedelta(seconds=30)
    assert (error.http_status, error.bank_code, error.request_sent) == (429, "TMRQ", "yes")
    assert error.request_id
    assert error.correlation_id
    assert error.explanation is not None
    assert dict(error.explanation.headers)["x-request-id"] == error.request_id
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
    assert "code='bank.rate_limited'" in repr(error)


def test_errors_of_ones_own() -> None:
    error = cbpii.NetworkError("network.connect", "Away.", request_sent=cbpii.RequestSent.NO)
    assert isinstance(error, ConnectionError)
    assert (error.code, error.advice, error.errno) == ("network.connect", "retry", None)
    unstated = cbpii.StoreError("store.full", "No room.")
    assert unstated.request_sent is cbpii.RequestSent.NO
    assert vars(pickle.loads(pickle.dumps(unstated))) == vars(unstated)
    for wrong in (("nothing.known", cbpii.CbpiiError), ("store.full", cbpii.NetworkError)):
        with pytest.raises(ValueError, match="code"):
            wrong[1](wrong[0], "A sentence.")
    assert cbpii.CATALOGUE["internal"].kind is cbpii.ErrorKind.INTERNAL
