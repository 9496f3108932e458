"""Keys in a hardware security module: SoftHSM by PKCS#11."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbpii
import pkcs11
import pytest
from cbpii.testing import Sandbox
from hsm import MODULE, import_key, open_session, softhsm
from pkcs11 import MGF, Mechanism, ObjectClass
from support import check, some_tokens

Algorithm = cbpii.SignatureAlgorithm
Signer = Callable[[cbpii.SignatureAlgorithm, bytes], bytes]

pytestmark = pytest.mark.skipif(not MODULE, reason="SoftHSM is not installed (Debian: softhsm2)")


class Hsm:
    """A token with the keys of the issuer, and signers that use them. One session, so one signature at a time."""

    def __init__(self, keys: dict[str, str]) -> None:
        self._session: Any = open_session()
        self._lock = threading.Lock()
        self.closed = False
        self.signatures: list[tuple[str, cbpii.SignatureAlgorithm]] = []
        for label, path in keys.items():
            import_key(self._session, label, path)

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


@pytest.fixture
def hsm(sandbox: Sandbox, tmp_path: Path) -> Iterator[Hsm]:
    """The token with the keys of the sandbox bank's issuer."""
    with softhsm(tmp_path):
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
