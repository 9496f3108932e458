"""Keys in an HSM: python-pkcs11 on SoftHSM 2 (Debian: softhsm2)."""

import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbpii
import pytest
from support import Sandbox, check

LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
LIBRARY = next((path for path in LIBRARIES if Path(path).exists()), None)
PIN = "1234"

Sign = Callable[[cbpii.SignatureAlgorithm, bytes], bytes]


@pytest.mark.skipif(LIBRARY is None or not shutil.which("softhsm2-util"), reason="SoftHSM 2 is not installed")
def test_keys_that_never_leave_an_hsm(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pkcs11
    from pkcs11 import MGF, Mechanism

    assert LIBRARY is not None
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))

    def softhsm(*arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)

    softhsm("--init-token", "--free", "--label", "issuer", "--pin", PIN, "--so-pin", PIN)
    for number, name in enumerate(("qwac", "qsealc")):
        key = sandbox.issuer[name]["key"]
        softhsm("--import", key, "--token", "issuer", "--label", name, "--id", f"0{number}", "--pin", PIN)

    library: Any = pkcs11.lib(LIBRARY)
    with library.get_token(token_label="issuer").open(user_pin=PIN) as session:
        turn = threading.Lock()

        def signer(name: str) -> Sign:
            key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=name)

            def sign(algorithm: cbpii.SignatureAlgorithm, message: bytes) -> bytes:
                with turn:
                    if algorithm is cbpii.SignatureAlgorithm.RSA_PSS_SHA256:
                        pss = (Mechanism.SHA256, MGF.SHA256, 32)
                        return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=pss))
                    return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))

            return sign

        def chain(name: str) -> Path:
            return Path(sandbox.issuer[name]["chain"])

        issuer = sandbox.own_issuer(
            transport=cbpii.TransportIdentity.with_signer(chain("qwac"), signer("qwac"), ["rsa-pss-sha256"]),
            seal=cbpii.SealIdentity.with_signer(chain("qsealc"), signer("qsealc"), ["rsa-pkcs1-sha256"]),
        )
        with cbpii.Client(sandbox.bank(), issuer) as client:
            tokens = sandbox.tokens()
            assert client.confirm_funds(tokens, check()).available
            assert client.refresh(tokens)
