"""What the programs by hand share: the signed request, whichever library sends it, and the look at its answer."""

import base64
import hashlib
import json
import ssl
import uuid
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from works import Config

CONNECT_SECONDS = 5.0
CALL_SECONDS = 10.0

CONSTANT_HEADERS = {
    "User-Agent": "cbpii/0.1.0",
    "Accept": "application/hal+json, application/json",
    "Accept-Encoding": "identity",
}

SHA256 = hashes.SHA256()
PADDING = padding.PKCS1v15()


def tls_context(config: Config) -> ssl.SSLContext:
    """The bank's CA and the client certificate, read once."""
    context = ssl.create_default_context(cafile=config.ca)
    context.load_cert_chain(config.qwac_chain, config.qwac_key)
    return context


class Funds:
    """Makes the requests of one issuer; shared by all threads."""

    def __init__(self, config: Config) -> None:
        key = serialization.load_pem_private_key(Path(config.seal_key).read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the seal's key is not an RSA key")
        self.key = key
        self.config = config
        self.url = config.funds_url
        self.path = urlsplit(config.funds_url).path

    def request(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a new request."""
        config = self.config
        content = {
            "paymentCoverageRequestId": config.reference,
            "instructedAmount": {"currency": "EUR", "amount": config.amount},
            "accountId": {"iban": config.iban},
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        request_id = str(uuid.uuid4())
        date = formatdate(usegmt=True)
        digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
        signed = f"(request-target): post {self.path}\ndate: {date}\ndigest: {digest}\nx-request-id: {request_id}"
        signature = base64.b64encode(self.key.sign(signed.encode(), PADDING, SHA256)).decode()
        return body, {
            "Authorization": f"Bearer {config.access_token}",
            "X-Request-ID": request_id,
            "Date": date,
            "Digest": digest,
            "Content-Type": "application/json",
            "Signature": f'keyId="{config.client_id}",algorithm="rsa-sha256",'
            f'headers="(request-target) date digest x-request-id",signature="{signature}"',
        }

    def check(self, status: int, answer: Any) -> None:
        """Raises unless this is a yes to our request."""
        if status != 200 or answer["request"]["paymentCoverageRequestId"] != self.config.reference:
            raise RuntimeError(f"no answer, but {status}: {answer}")
        if answer["result"] is not True:
            raise RuntimeError(f"not a yes: {answer}")
