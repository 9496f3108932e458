"""The sandbox bank for tests of your own code: a strict bank on loopback, with pages, personas, faults and a clock.

With pytest, use the fixture ``cbpii_sandbox`` of :mod:`cbpii.pytest_plugin`, which comes with the package. Elsewhere::

    with cbpii.testing.Sandbox() as sandbox:
        client, tokens = sandbox.client(), sandbox.tokens("CLAIRE")

The bank is the program ``cbpii-sandbox``; its own documentation lists every persona, fault and setting.
"""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

import cbpii

__all__ = ["PERSONAS", "Sandbox", "SandboxMissingError"]

PERSONAS = {
    "CLAIRE": "FR7617515900000800358074006",
    "LEA": "FR7613807008043001965405158",
    "GEORGES": "FR7612579004000000441002118",
    "ALICE": "FR7617515006000000441010185",
    "BRUNO": "FR7613807008040000441020238",
    "UMA": "FR7612579004000000441030345",
    "NINA": "FR7617515006000000441040449",
    "NOAH": "FR7613807008040000441050502",
    "IRIS": "FR7612579004000000441060609",
    "THEO": "FR7617515006000000441070713",
    "INES": "FR7613807008040000441080863",
    "IGOR": "FR7612579004000000441090970",
    "MONA": "FR7617515006000000441111162",
}
"""The bank's invented cardholders and their IBANs. CLAIRE has 458.99 EUR, LEA 4179.00 EUR, GEORGES nothing; the others'
accounts are refused: closed, blocked, unknown, …."""

_FOREVER = datetime(2100, 1, 1, tzinfo=timezone.utc)


class SandboxMissingError(RuntimeError):
    """The program of the sandbox bank was not found."""

    def __init__(self, named: str | None) -> None:
        where = "is not on the PATH" if named is None else f"is not at {named!r}, where CBPII_SANDBOX says it is"
        super().__init__(
            f"The sandbox bank, the program cbpii-sandbox, {where}. Build it with 'cargo build -p cbpii-sandbox' in the "
            "sources of cbpii, and put it on the PATH or its path in the environment variable CBPII_SANDBOX."
        )


def find_sandbox() -> str:
    """The path of the sandbox bank: what ``CBPII_SANDBOX`` says, else ``cbpii-sandbox`` on the ``PATH``.

    Raises :class:`SandboxMissingError`.
    """
    named = os.environ.get("CBPII_SANDBOX") or None
    found = shutil.which(named or "cbpii-sandbox")
    if found is None:
        raise SandboxMissingError(named)
    return found


class Sandbox:
    """The sandbox bank as a process of its own on free ports of this machine; leaving a ``with`` ends it.

    ``arguments`` go to the program, for instance ``"--rotation", "rotated"``. Raises :class:`SandboxMissingError`.
    """

    endpoints: dict[str, str]
    """``origin``, ``authorize_url``, ``token_url``, ``funds_url``, ``control_url``."""
    issuer: dict[str, Any]
    """What an issuer has: ``client_id``, ``redirect_uri``, ``ca`` (the bank's root certificate), ``qwac`` and ``qsealc``
    (each with the paths of ``certificate``, ``chain`` and ``key``), ``variants`` of the QWAC with something wrong, …."""
    process: "subprocess.Popen[str]"
    """The running program."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [find_sandbox(), "--quiet", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError("The sandbox bank ended before it was ready; its standard error says why.")
        facts = json.loads(line)
        self.endpoints = facts["endpoints"]
        self.issuer = facts["issuer"]
        self._tls = ssl.create_default_context(cafile=self.issuer["ca"])

    def close(self) -> None:
        """Ends the bank; its files are removed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Sandbox({self.endpoints['origin']!r})"

    # What a test does to the bank.

    def control(self, method: str, path: str, body: object = None) -> Any:
        """A call of the bank's control endpoint: ``path`` such as ``/settings``, ``body`` as JSON. Returns its answer."""
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
        """Everything as at the start, and every open connection closed."""
        self.control("POST", "/reset", {})
        self.control("DELETE", "/connections")

    def settings(self, **changes: object) -> dict[str, Any]:
        """Changes some of the bank's settings, and returns all of them."""
        answer = self.control("PATCH", "/settings", changes) if changes else self.control("GET", "/settings")
        return dict(answer)

    def fault(self, endpoint: str, kind: str, *, times: int | None = 1, after: int = 0, **members: object) -> None:
        """Makes something go wrong: ``sandbox.fault("funds", "answer_lost")``.

        - ``endpoint``: ``authorize``, ``consent``, ``token``, ``funds``, ``other``, or ``connection``.
        - ``kind``: ``answer``, ``delay``, ``stall``, ``hold``, ``reset_mid_answer``, …; ``members`` are what it takes.
        - ``times``: how often; None until :meth:`clear_faults`.
        - ``after``: so many requests pass first.
        """
        rule = {"endpoint": endpoint, "times": times, "after": after, "fault": {"kind": kind, **members}}
        self.control("POST", "/faults", rule)

    def clear_faults(self) -> None:
        """Nothing goes wrong any more, and requests that are held go on."""
        self.control("DELETE", "/faults")

    def requests(self, wait_for: int | None = None) -> list[dict[str, Any]]:
        """The requests the bank has seen, oldest first; with ``wait_for``, once so many have arrived (within 10 s)."""
        seen = self.control("GET", "/requests" + ("" if wait_for is None else f"?wait_for={wait_for}&timeout_ms=10000"))
        assert wait_for is None or len(seen) >= wait_for, f"the bank has seen {len(seen)} requests, not {wait_for}"
        return list(seen)

    def advance_clock(self, duration: timedelta) -> None:
        """Moves the bank's clock. It accepts dates of at most 300 seconds from it, so move the client's ``clock`` too, or
        say ``sandbox.settings(date_tolerance_seconds=None)``."""
        self.control("POST", "/clock", {"advance_seconds": int(duration.total_seconds())})

    def expire_tokens(self) -> None:
        """Every access token ends now; refresh tokens stay good."""
        self.control("POST", "/tokens/expire", {})

    def revoke_consents(self, persona: str | None = None) -> None:
        """The consents of one persona, or of all, are withdrawn at the bank."""
        self.control("POST", "/consents/revoke", {} if persona is None else {"persona": persona})

    def approve(self, url: str, persona: str = "CLAIRE", auto: str = "approve") -> str:
        """The callback URL a browser is sent to when the persona approves at the consent URL; ``auto="refuse"`` refuses."""
        parts = urllib.parse.urlsplit(f"{url}&auto={auto}&persona={persona}")
        connection = http.client.HTTPSConnection(parts.netloc, context=self._tls, timeout=10)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            location = connection.getresponse().headers["Location"]
        finally:
            connection.close()
        assert location is not None, "the consent page did not redirect; is this the URL of a pending consent?"
        return str(location)

    def tokens(self, persona: str = "CLAIRE", *, scope: str | None = None) -> cbpii.Tokens:
        """Tokens as if the persona had just consented; the consent ends in 2100."""
        body = {"persona": persona} if scope is None else {"persona": persona, "scope": scope}
        answer = self.control("POST", "/tokens", body)
        return cbpii.Tokens(
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            obtained_at=datetime.now(timezone.utc),
            consent_expires_at=_FOREVER,
        )

    # What an issuer has.

    def transport(self, variant: str | None = None) -> cbpii.TransportIdentity:
        """The QWAC, or one of its variants with something wrong: ``expired``, ``no-role``, …."""
        files = self.issuer["qwac"] if variant is None else self.issuer["variants"][variant]
        return cbpii.TransportIdentity(Path(files["chain"]), Path(files["key"]))

    def seal(self, **options: Any) -> cbpii.SealIdentity:
        """The QSealC; ``options`` are those of :class:`cbpii.SealIdentity`."""
        files = self.issuer["qsealc"]
        return cbpii.SealIdentity(Path(files["chain"]), Path(files["key"]), **options)

    def own_issuer(self, **changes: Any) -> cbpii.Issuer:
        """The issuer that is registered at this bank; ``changes`` replace arguments of :class:`cbpii.Issuer`."""
        parts: dict[str, Any] = {
            "client_id": self.issuer["client_id"],
            "redirect_uri": self.issuer["redirect_uri"],
            "transport": self.transport(),
            "seal": self.seal(),
        }
        return cbpii.Issuer(**{**parts, **changes})

    def bank(self) -> cbpii.Bank:
        """The bank's record: establishment 17515 of Groupe BPCE's platform, at this bank's endpoints."""
        bank = cbpii.Bank.bpce("17515", "sandbox").with_origin(self.endpoints["origin"])
        return bank.with_trust_anchor(Path(self.issuer["ca"]).read_text(), mode="replace")

    def client(self, **options: Any) -> cbpii.Client:
        """A client for this bank; ``options`` are those of :class:`cbpii.Client`."""
        return cbpii.Client(self.bank(), self.own_issuer(), **options)

    def async_client(self, **options: Any) -> cbpii.AsyncClient:
        """The same for asyncio; ``options`` are those of :class:`cbpii.AsyncClient`."""
        return cbpii.AsyncClient(self.bank(), self.own_issuer(), **options)
