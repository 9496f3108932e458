"""The sandbox bank and what the tests ask of it."""

import json
import os
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

import cbpii

CLAIRE = "FR7617515900000800358074006"
LEA = "FR7613807008043001965405158"
FOREVER = datetime(2100, 1, 1, tzinfo=timezone.utc)
KEY = bytes(range(32))


class Sandbox:
    """The sandbox bank as a process, and its control endpoint."""

    def __init__(self, *arguments: str) -> None:
        binary = os.environ.get("CBPII_SANDBOX") or shutil.which("cbpii-sandbox")
        if binary is None:
            raise RuntimeError("CBPII_SANDBOX does not name the sandbox bank's binary, nor is it on the PATH")
        self.process = subprocess.Popen(
            [binary, "--quiet", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        facts = json.loads(self.process.stdout.readline())
        self.endpoints: dict[str, str] = facts["endpoints"]
        self.issuer: dict[str, Any] = facts["issuer"]
        self._tls = ssl.create_default_context(cafile=self.issuer["ca"])

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    # What a test does to the bank.

    def control(self, method: str, path: str, body: object = None) -> Any:
        """A call of the control endpoint."""
        request = urllib.request.Request(
            self.endpoints["control_url"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def reset(self) -> None:
        self.control("POST", "/reset", {})
        self.control("DELETE", "/connections")

    def fault(self, endpoint: str, kind: str, *, times: int | None = 1, after: int = 0, **members: object) -> None:
        rule = {"endpoint": endpoint, "times": times, "after": after, "fault": {"kind": kind, **members}}
        self.control("POST", "/faults", rule)

    def requests(self, wait_for: int | None = None) -> list[dict[str, Any]]:
        """The requests seen, after so many have arrived."""
        seen = self.control("GET", "/requests" + ("" if wait_for is None else f"?wait_for={wait_for}&timeout_ms=10000"))
        assert wait_for is None or len(seen) >= wait_for
        return list(seen)

    def approve(self, url: str, persona: str = "CLAIRE", auto: str = "approve") -> str:
        """The redirect a browser gets when the persona answers the consent page."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self._tls), Stay)
        try:
            opener.open(f"{url}&auto={auto}&persona={persona}", timeout=10)
        except urllib.error.HTTPError as answer:
            with answer:
                return str(answer.headers["Location"])
        raise AssertionError("the consent page did not redirect")

    def tokens(self, persona: str = "CLAIRE", *, scope: str | None = None) -> cbpii.Tokens:
        """Tokens as if the persona had just consented."""
        body = {"persona": persona} if scope is None else {"persona": persona, "scope": scope}
        answer = self.control("POST", "/tokens", body)
        return cbpii.Tokens(
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            obtained_at=datetime.now(timezone.utc),
            consent_expires_at=FOREVER,
        )

    # What an issuer has.

    def transport(self, variant: str | None = None) -> cbpii.TransportIdentity:
        files = self.issuer["qwac"] if variant is None else self.issuer["variants"][variant]
        return cbpii.TransportIdentity(Path(files["chain"]), Path(files["key"]))

    def seal(self, **options: Any) -> cbpii.SealIdentity:
        files = self.issuer["qsealc"]
        return cbpii.SealIdentity(Path(files["chain"]), Path(files["key"]), **options)

    def own_issuer(self, **changes: Any) -> cbpii.Issuer:
        parts: dict[str, Any] = {
            "client_id": self.issuer["client_id"],
            "redirect_uri": self.issuer["redirect_uri"],
            "transport": self.transport(),
            "seal": self.seal(),
        }
        return cbpii.Issuer(**{**parts, **changes})

    def bank(self) -> cbpii.Bank:
        bank = cbpii.Bank.bpce("17515", "sandbox").with_origin(self.endpoints["origin"])
        return bank.with_trust_anchor(Path(self.issuer["ca"]).read_text(), mode="replace")

    def client(self, **options: Any) -> cbpii.Client:
        return cbpii.Client(self.bank(), self.own_issuer(), **options)

    def async_client(self, **options: Any) -> cbpii.AsyncClient:
        return cbpii.AsyncClient(self.bank(), self.own_issuer(), **options)


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
