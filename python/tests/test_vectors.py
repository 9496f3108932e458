"""The language-neutral cases of tests/vectors; its README says how they are read."""

import base64
import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import cbpii
import pytest
from facts import (
    FOLDER,
    Json,
    differences,
    facts_of_confirmation,
    facts_of_error,
    facts_of_tokens,
    known,
    moment,
    read,
    request_of,
    tell,
)
from support import Sandbox

BEGINNING = datetime(2026, 11, 23, 13, 0, tzinfo=timezone.utc)
LASTING = datetime(2100, 1, 1, tzinfo=timezone.utc)


class Case:
    """A case with the members its file has for all; each member has to be asked for."""

    def __init__(self, shared: Json, case: Json) -> None:
        self.members = {**shared, **case}
        self.unread = set(case)

    def __getitem__(self, name: str) -> Any:
        self.unread.discard(name)
        return self.members[name]

    def get(self, name: str, default: Any = None) -> Any:
        self.unread.discard(name)
        return self.members.get(name, default)


class Wire:
    """Answers from memory and keeps what was sent."""

    def __init__(self, case: Case) -> None:
        self.sent: list[cbpii.HttpRequest] = []
        headers = tuple((name, value) for name, value in case.get("headers", []))
        self.answer = cbpii.HttpResponse(case.get("status", 500), headers, self.body(case.get("body")))

    @staticmethod
    def body(body: Json | None) -> bytes:
        if body is None:
            return b""
        ((form, value),) = body.items()
        if form == "json":
            return json.dumps(value).encode()
        if form == "text":
            return str(value).encode()
        if form == "base64":
            return base64.b64decode(value)
        assert form == "repeated"
        return "".join(text * times for text, times in value).encode()

    def __call__(self, request: cbpii.HttpRequest) -> cbpii.HttpResponse:
        self.sent.append(request)
        return self.answer


class Runner:
    """Runs cases; what its methods give back are facts."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.seal = sandbox.seal(key_id="https://issuer.example/seal")

    def client(self, record: Json, now: datetime, wire: Wire) -> cbpii.Client:
        bank = cbpii.Bank.from_json(json.dumps(record))
        wants_secret = bank.client_authentication is not cbpii.ClientAuthentication.TLS_CLIENT_AUTH
        issuer = cbpii.Issuer(
            client_id="PSDFR-ACPR-12345",
            redirect_uri="https://issuer.example/psd2/callback",
            client_secret="s3cr3t" if wants_secret else None,
            seal=self.seal,
        )
        return cbpii.Client(bank, issuer, clock=lambda: now, transport=wire, check_eligibility=False)

    def callbacks(self, case: Case) -> Json:
        pending, callback, now = case["pending"], case["callback"], moment(case["now"])
        saved = case.members["_shared"]["pending"][pending] if isinstance(pending, str) else pending
        code = cbpii.PendingConsent.from_json(json.dumps(saved)).complete(callback, now=now)
        return {"code": code.expose()}

    def consent_urls(self, case: Case) -> Json:
        record, client_id, uri, secret = case["bank"], case["client_id"], case["redirect_uri"], case.get("client_secret")
        bank = cbpii.Bank.from_json(json.dumps(record))
        issuer = cbpii.Issuer(client_id=client_id, redirect_uri=uri, client_secret=secret, seal=self.seal)
        client = cbpii.Client(bank, issuer, clock=lambda: BEGINNING, transport=Wire(case), check_eligibility=False)
        pending = client.begin_consent()
        assert pending.redirect_uri == uri
        assert (pending.created_at, len(pending.state)) == (BEGINNING, 43)
        url = urlsplit(pending.url)
        assert url.fragment == ""
        stand_ins = {("state", pending.state): "{state}"}
        verifier = json.loads(pending.to_json()).get("code_verifier")
        if verifier is not None:
            digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
            stand_ins["code_challenge", digest] = "{code_challenge}"
        query = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)
        return {
            "origin": f"{url.scheme}://{url.netloc}",
            "path": url.path,
            "query": [[name, stand_ins.get((name, value), value)] for name, value in query],
        }

    def token_bodies(self, case: Case) -> Json:
        client = self.client(case["bank"], moment(case["now"]), Wire(case))
        request, pending, code, tokens = case["request"], case["pending"], case["code"], case["tokens"]
        if request == "exchange":
            consent = cbpii.PendingConsent.from_json(json.dumps(pending))
            given = client.exchange_code(consent, cbpii.AuthorizationCode(code))
        else:
            assert request == "refresh"
            given = client.refresh(cbpii.Tokens.from_json(json.dumps(tokens)))
        return facts_of_tokens(given)

    def funds_bodies(self, case: Case) -> Json:
        now = moment(case["now"])
        client = self.client(case["bank"], now, Wire(case))
        answer = client.confirm_funds(self.tokens(now), request_of(case["request"]))
        return facts_of_confirmation(answer)

    error_bodies = funds_bodies

    def requests(self, case: Case) -> Json:
        kind, given, record, now = case["kind"], case["input"], case["bank"], moment(case["now"])
        if kind == "currency":
            currency = cbpii.Currency(**known(given, "code"))
            return {"code": currency.code, "decimals": currency.decimals}
        if kind == "amount":
            known(given, "amount", "currency")
            amount = cbpii.Amount(given["amount"], given["currency"])
            return {"amount": str(amount.value), "currency": amount.currency}
        if kind == "iban":
            iban = cbpii.Iban(known(given, "iban")["iban"])
            return {
                "iban": iban.unmasked,
                "country": iban.country,
                "bank_code": iban.bank_code,
                "masked": str(iban),
            }
        assert kind == "request"
        wire = Wire(case)
        client = self.client(record, now, wire)
        request = request_of(given)
        # An error before anything is sent is the outcome of the case.
        try:
            client.confirm_funds(self.tokens(now), request)
        except cbpii.BankUnavailableError:
            sent = wire.sent[-1]
        own = {"accept", "authorization", "content-type", "date", "digest", "signature"}
        headers = [[name, value] for name, value in sent.headers if name not in own]
        return {"body": sent.body.decode(), "headers": headers}

    def certificates(self, case: Case) -> Json:
        bank = cbpii.Bank.from_json(json.dumps(case["bank"]))
        name, use, client_id = case["identity"], cbpii.CertificateUse(case["use"]), case["client_id"]
        kit = self.sandbox.issuer
        own = {cbpii.CertificateUse.TRANSPORT: kit["qwac"], cbpii.CertificateUse.SEAL: kit["qsealc"]}
        files = kit[name] if name in ("qwac", "qsealc") else kit["variants"][name]
        report = cbpii.CertificateReport.inspect(
            Path(files["chain"]), use=use, client_id=client_id, accept_pss=not bank.refuses_pss_certificates
        )
        qwac, qsealc = ({**own, use: files}[one] for one in cbpii.CertificateUse)
        try:
            transport = cbpii.TransportIdentity(Path(qwac["chain"]), Path(qwac["key"]))
            seal = cbpii.SealIdentity(Path(qsealc["chain"]), Path(qsealc["key"]))
            issuer = cbpii.Issuer(
                client_id=client_id,
                redirect_uri="https://issuer.example/psd2/callback",
                transport=transport,
                seal=seal,
            )
            cbpii.Client(bank, issuer)
            client = "ok"
        except cbpii.CbpiiError as error:
            client = error.code
        return {
            "roles": [role.value for role in report.psd2_roles],
            "organisation_identifier": report.organisation_identifier,
            "authority_id": report.authority_id,
            "qc_types": [kind.value for kind in report.qc_types],
            "qualified": report.qualified,
            "key_type": report.key_type,
            "key_bits": report.key_bits,
            "signature_algorithm": report.signature_algorithm,
            "chain_length": report.chain_length,
            "findings": [[finding.severity.value, finding.code] for finding in report.findings],
            "client": client,
        }

    @staticmethod
    def tokens(now: datetime) -> cbpii.Tokens:
        return cbpii.Tokens(access_token="2YotnFZFEjr1zCsicMWpAA", obtained_at=now, consent_expires_at=LASTING)


FILES = sorted(path.name for path in FOLDER.glob("*.json") if path.name != "manifest.json")


def test_every_file_is_counted_and_run() -> None:
    assert list(read("manifest.json")) == FILES
    assert all(hasattr(Runner, name.removesuffix(".json")) for name in FILES)


@pytest.mark.parametrize("name", FILES)
def test_cases(name: str, sandbox: Sandbox) -> None:
    suite = read(name)
    cases = suite.pop("cases")
    assert isinstance(suite.pop("about"), str)
    assert len(cases) == read("manifest.json")[name]
    run = getattr(Runner(sandbox), name.removesuffix(".json"))
    seen: set[str] = set()
    failures: list[str] = []
    for members in cases:
        title, expected = members.pop("name"), members.pop("expect")
        assert title not in seen
        seen.add(title)
        assert expected
        case = Case({**suite, "_shared": suite}, members)
        complete = False
        try:
            actual = run(case)
            complete = True
        except cbpii.CbpiiError as error:
            actual = facts_of_error(error)
        tell(name.removesuffix(".json"), title, actual)
        failures += [f"{title}: {difference}" for difference in differences(expected, actual)]
        if complete and case.unread:
            failures.append(f"{title}: unknown members {case.unread}")
    assert failures == []
