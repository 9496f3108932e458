"""SoftHSM: a hardware security module in software."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pkcs11 import Attribute
from pkcs11.util.rsa import decode_rsa_private_key

PLACES = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
]
MODULE = os.environ.get("SOFTHSM2_MODULE") or next((path for path in PLACES if Path(path).exists()), "")
PIN = "1234"


@contextmanager
def softhsm(folder: Path) -> Generator[None, None, None]:
    """An empty token ``issuer`` of a SoftHSM of this process."""
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        pkcs11.lib(MODULE).reinitialize()
        options = ["--init-token", "--free", "--label", "issuer", "--pin", PIN, "--so-pin", "5678", "--module", MODULE]
        subprocess.run(["softhsm2-util", *options], check=True, capture_output=True)
        pkcs11.lib(MODULE).reinitialize()
        yield


def open_session() -> Any:
    """A session of the token."""
    return pkcs11.lib(MODULE).get_token(token_label="issuer").open(rw=True, user_pin=PIN)


def import_key(session: Any, label: str, path: str) -> None:
    """Puts the key of a PEM file into the token."""
    key = load_pem_private_key(Path(path).read_bytes(), None)
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    session.create_object({**decode_rsa_private_key(der), Attribute.LABEL: label, Attribute.TOKEN: True})
