"""Starts the sandbox bank (tests/sandbox) for programs in C, and speaks to its control endpoint.

The environment variable CBPII_SANDBOX names its program; without it, it is where cargo puts it.
"""

import datetime
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()


class SandboxBank:
    """A bank of its own on ephemeral ports: `with SandboxBank() as bank: …`."""

    def __init__(self, *options):
        program = os.environ.get("CBPII_SANDBOX", TARGET / "debug/cbpii-sandbox")
        if not os.access(program, os.X_OK):
            raise SystemExit(f"There is no program {program}: cargo build -p cbpii-sandbox, or set CBPII_SANDBOX.")
        # The bank serves until its standard input ends, so it never outlives this process.
        self.process = subprocess.Popen([program, "--quiet", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"The sandbox bank did not start (exit status {self.process.wait()}).")
        kit = json.loads(line)
        self.endpoints, self.issuer = kit["endpoints"], kit["issuer"]
        self.folder = tempfile.TemporaryDirectory(prefix="cbpii-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def control(self, path, body=None, method=None):
        """One call of the control endpoint; `body` makes it a POST."""
        request = urllib.request.Request(
            f"{self.endpoints['control_url']}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def tokens(self, persona="CLAIRE"):
        """Tokens as if the persona had just consented, in the form that cbpii_tokens_from_json reads."""
        answer = self.control("tokens", {"persona": persona})
        now = datetime.datetime.now(datetime.timezone.utc)

        def moment(**later):
            return (now + datetime.timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")

        return {
            "v": 1,
            "access_token": answer["access_token"],
            "refresh_token": answer["refresh_token"],
            "scope": answer.get("scope"),
            "obtained_at": moment(),
            "expires_at": moment(seconds=answer["expires_in"]),
            "consent_expires_at": moment(days=180),
        }

    def write_tokens(self, persona="CLAIRE"):
        """A file with `tokens`, readable by its owner only; gives its path."""
        return self.write_private(f"{persona}.json", json.dumps(self.tokens(persona)).encode() + b"\n")

    def write_private(self, name, content):
        path = pathlib.Path(self.folder.name, name)
        path.touch(mode=0o600)
        path.write_bytes(content)
        return str(path)

    def iban(self, persona):
        return next(entry["iban"] for entry in self.control("personas") if entry["id"] == persona)

    def environment(self, persona="CLAIRE"):
        """The variables that the examples read."""
        return {
            "CBPII_BANK": "bpce-17515",
            "CBPII_ENVIRONMENT": "sandbox",
            "CBPII_ORIGIN": self.endpoints["origin"],
            "CBPII_CA": self.issuer["ca"],
            "CBPII_CLIENT_ID": self.issuer["client_id"],
            "CBPII_REDIRECT_URI": self.issuer["redirect_uri"],
            "CBPII_QWAC_CHAIN": self.issuer["qwac"]["chain"],
            "CBPII_QWAC_KEY": self.issuer["qwac"]["key"],
            "CBPII_QSEALC_CHAIN": self.issuer["qsealc"]["chain"],
            "CBPII_QSEALC_KEY": self.issuer["qsealc"]["key"],
            "CBPII_TOKENS": self.write_tokens(persona),
            "CBPII_IBAN": self.iban(persona),
            "CBPII_OTHER_IBAN": self.iban("UMA"),
            "CBPII_STORE": f"sqlite://{self.folder.name}/consents.db",
            "CBPII_STORE_KEY": self.write_private("store.key", os.urandom(32)),
        }

    def decide(self, consent_url, decision="approve", persona="CLAIRE"):
        """What a cardholder would do at the consent URL; gives the URL the browser is sent back to."""
        url = urllib.parse.urlsplit(consent_url)
        trust = ssl.create_default_context(cafile=self.issuer["ca"])
        trust.load_cert_chain(self.issuer["qwac"]["chain"], self.issuer["qwac"]["key"])
        connection = http.client.HTTPSConnection(url.hostname, url.port, context=trust)
        try:
            connection.request("GET", f"{url.path}?{url.query}&auto={decision}&persona={persona}")
            answer = connection.getresponse()
            location = answer.getheader("location")
            if location is None:
                raise RuntimeError(f"no redirect but {answer.status}: {answer.read()!r}")
            return location
        finally:
            connection.close()
