"""Keys in a hardware security module: SoftHSM by PKCS#11."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbpii
import pkcs11
import pytest
from cbpii.testing import Sandbox
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pkcs11 import MGF, Attribute, Mechanism, ObjectClass
from pkcs11.util.rsa import decode_rsa_private_key
from support import check, some_tokens

PLACES = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
]
MODULE = os.environ.get("SOFTHSM2_MODULE") or next((path for path in PLACES if Path(path).exists()), "")
PIN = "1234"
Algorithm = cbpii.SignatureAlgorithm
Signer = Callable[[cbpii.SignatureAlgorithm, bytes], bytes]

pytestmark = pytest.mark.skipif(not MODULE, reason="SoftHSM is not installed (Debian: softhsm2)")


class Hsm:
    """A token with the keys of the issuer, and signers that use them. One session, so one signature at a time."""

    def __init__(self, keys: dict[str, str]) -> None:
        self._session: Any = pkcs11.lib(MODULE).get_token(token_label="issuer").open(rw=True, user_pin=PIN)
        self._lock = threading.Lock()
        self.closed = False
        self.signatures: list[tuple[str, cbpii.SignatureAlgorithm]] = []
        for label, path in keys.items():
            key = load_pem_private_key(Path(path).read_bytes(), None)
            der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            self._session.create_object({**decode_rsa_private_key(der), Attribute.LABEL: label})

    def signer(self, label: str) -> Signer:
        key = self._session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label)
        pss = (Mechanism.SHA256, MGF.SHA256, 32)

        def sign(algorithm: cbpii.SignatureAlgorithm, message: bytes) -> bytes:
            self.signatures.append((label, algorithm))
            with self._lock:
                if algorithm is Algorithm.RSA_PSS_SHA256:
                    return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=pss))
                return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))

        return sign

    def close(self) -> None:
        if not self.closed:
            self._session.close()
        self.closed = True


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty token of a SoftHSM of this process."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        options = ["--init-token", "--free", "--label", "issuer", "--pin", PIN, "--so-pin", "5678", "--module", MODULE]
        subprocess.run(["softhsm2-util", *options], check=True, capture_output=True)
        yield


@pytest.fixture
def hsm(token: None, sandbox: Sandbox) -> Iterator[Hsm]:
    """The token with the keys of the sandbox bank's issuer."""
    hsm = Hsm({name: sandbox.issuer[name]["key"] for name in ("qwac", "qsealc")})
    yield hsm
    hsm.close()


def test_both_keys_stay_in_the_hsm(sandbox: Sandbox, hsm: Hsm) -> None:
    chains = {name: Path(sandbox.issuer[name]["chain"]) for name in ("qwac", "qsealc")}
    algorithms = [Algorithm.RSA_PSS_SHA256, Algorithm.RSA_PKCS1_SHA256]
    transport = cbpii.TransportIdentity.with_signer(chains["qwac"], hsm.signer("qwac"), algorithms)
    seal = cbpii.SealIdentity.with_signer(chains["qsealc"], hsm.signer("qsealc"), algorithms)
    with cbpii.Client(sandbox.bank(), sandbox.own_issuer(transport=transport, seal=seal)) as client:
        pending = client.begin_consent()
        tokens = client.complete_consent(pending, sandbox.approve(pending.url))
        assert client.confirm_funds(tokens, check()).available
        pool = cbpii.SessionPool(client, cbpii.SealedStore("memory", key=bytes(32)))
        session = pool.keep("claire", tokens)
        outcomes = list(pool.confirm_many([(session, check())] * 20, max_in_flight=8))
    assert [outcome.available for outcome in outcomes] == [True] * 20
    assert ("qwac", Algorithm.RSA_PSS_SHA256) in hsm.signatures
    assert hsm.signatures.count(("qsealc", Algorithm.RSA_PKCS1_SHA256)) == 21


def test_an_hsm_that_is_locked(sandbox: Sandbox, hsm: Hsm) -> None:
    sign = hsm.signer("qsealc")
    seal = cbpii.SealIdentity.with_signer(Path(sandbox.issuer["qsealc"]["chain"]), sign, [Algorithm.RSA_PKCS1_SHA256])
    client = cbpii.Client(sandbox.bank(), sandbox.own_issuer(seal=seal))
    hsm.close()
    with pytest.raises(cbpii.ConfigurationError) as failure:
        client.confirm_funds(some_tokens(), check())
    assert failure.value.code == "configuration.signer_failed"
    assert isinstance(failure.value.__cause__, pkcs11.PKCS11Error)
