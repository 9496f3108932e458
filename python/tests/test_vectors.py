"""The language-neutral cases of tests/vectors; its README says how they are read."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import cbpii
import pytest
from support import Sandbox

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "vectors"
Json = dict[str, Any]
BEGINNING = datetime(2026, 11, 23, 13, 0, tzinfo=timezone.utc)
LASTING = datetime(2100, 1, 1, tzinfo=timezone.utc)


def read(name: str) -> Json:
    return dict(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def moment(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")


def written(moment: datetime | None) -> str | None:
    """A moment as the cases write it."""
    if moment is None:
        return None
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return re.sub(r"\.?0+$", "", text) + "Z" if "." in text else text + "Z"


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


def known(given: Json, *names: str) -> Json:
    """The object, which must have no other members."""
    assert given.keys() <= set(names), given.keys() - set(names)
    return given


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
        return {
            "access_token": given.access_token.expose(),
            "refresh_token": None if given.refresh_token is None else given.refresh_token.expose(),
            "token_type": given.token_type,
            "scope": given.scope,
            "obtained_at": written(given.obtained_at),
            "expires_at": written(given.expires_at),
            "consent_expires_at": written(given.consent_expires_at),
        }

    def funds_bodies(self, case: Case) -> Json:
        now = moment(case["now"])
        client = self.client(case["bank"], now, Wire(case))
        answer = client.confirm_funds(self.tokens(now), self.request(case["request"]))
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
        request = self.request(given)
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

    @staticmethod
    def request(given: Json) -> cbpii.FundsRequest:
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


def facts_of(error: cbpii.CbpiiError) -> Json:
    return {
        "error": error.code,
        "kind": error.kind.value,
        "advice": error.advice.value,
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
    run: Callable[[Case], Json] = getattr(Runner(sandbox), name.removesuffix(".json"))
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
            actual = facts_of(error)
        failures += [f"{title}: {difference}" for difference in differences(expected, actual)]
        if complete and case.unread:
            failures.append(f"{title}: unknown members {case.unread}")
    assert failures == []
