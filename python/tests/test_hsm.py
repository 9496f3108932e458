"""Keys in an HSM: python-pkcs11 on SoftHSM 2 (Debian: softhsm2)."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbpii
import pkcs11
import pytest
from cbpii.testing import Sandbox
from hsm import PIN, softhsm
from pkcs11 import MGF, Mechanism, ObjectClass
from support import check, sealed, some_tokens

Algorithm = cbpii.SignatureAlgorithm
Signer = Callable[[cbpii.SignatureAlgorithm, bytes], bytes]


class Hsm:
    """Signers that use the keys of a token. One session, so one signature at a time."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._turn = threading.Lock()
        self.signatures: list[tuple[str, cbpii.SignatureAlgorithm]] = []

    def signer(self, label: str) -> Signer:
        key = self._session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label)
        pss = (Mechanism.SHA256, MGF.SHA256, 32)

        def sign(algorithm: cbpii.SignatureAlgorithm, message: bytes) -> bytes:
            self.signatures.append((label, algorithm))
            with self._turn:
                if algorithm is Algorithm.RSA_PSS_SHA256:
                    return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=pss))
                return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))

        return sign


@pytest.fixture
def token(sandbox: Sandbox, tmp_path: Path) -> Iterator[Any]:
    """A token with the keys of the sandbox bank's issuer."""
    with softhsm(tmp_path, {name: sandbox.issuer[name]["key"] for name in ("qwac", "qsealc")}) as module:
        yield module.get_token(token_label="issuer")


def test_keys_that_never_leave_an_hsm(sandbox: Sandbox, token: Any) -> None:
    with token.open(user_pin=PIN) as session:
        hsm = Hsm(session)
        chains = {name: Path(sandbox.issuer[name]["chain"]) for name in ("qwac", "qsealc")}
        issuer = sandbox.own_issuer(
            transport=cbpii.TransportIdentity.with_signer(chains["qwac"], hsm.signer("qwac"), ["rsa-pss-sha256"]),
            seal=cbpii.SealIdentity.with_signer(chains["qsealc"], hsm.signer("qsealc"), ["rsa-pkcs1-sha256"]),
        )
        with cbpii.Client(sandbox.bank(), issuer) as client:
            pending = client.begin_consent()
            tokens = client.refresh(client.complete_consent(pending, sandbox.approve(pending.url)))
            pool = cbpii.SessionPool(client, sealed())
            kept = pool.keep("claire", tokens)
            outcomes = list(pool.confirm_many([(kept, check())] * 20, max_in_flight=8))
    assert [outcome.available for outcome in outcomes] == [True] * 20
    assert ("qwac", Algorithm.RSA_PSS_SHA256) in hsm.signatures
    assert hsm.signatures.count(("qsealc", Algorithm.RSA_PKCS1_SHA256)) == 20


def test_an_hsm_that_is_away(sandbox: Sandbox, token: Any) -> None:
    with token.open(user_pin=PIN) as session:
        sign = Hsm(session).signer("qsealc")
    seal = cbpii.SealIdentity.with_signer(Path(sandbox.issuer["qsealc"]["chain"]), sign, [Algorithm.RSA_PKCS1_SHA256])
    client = cbpii.Client(sandbox.bank(), sandbox.own_issuer(seal=seal))
    with pytest.raises(cbpii.ConfigurationError) as failure:
        client.confirm_funds(some_tokens(), check())
    assert failure.value.code == "configuration.signer_failed"
    assert isinstance(failure.value.__cause__, pkcs11.PKCS11Error)
