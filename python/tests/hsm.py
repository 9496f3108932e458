"""SoftHSM: a hardware security module in software."""

import shutil
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
import pytest

PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
MODULE = next((path for path in PLACES if Path(path).exists() and shutil.which("softhsm2-util")), "")
PIN = "1234"


@contextmanager
def softhsm(folder: Path, keys: Mapping[str, str]) -> Generator[Any, None, None]:
    """The module with a token ``issuer`` that has the keys of these PEM files by their labels."""
    assert MODULE, "SoftHSM is needed, the stand-in for an HSM (Debian: softhsm2)"
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        _softhsm("--init-token", "--free", "--label", "issuer", "--pin", PIN, "--so-pin", PIN)
        for number, (label, path) in enumerate(keys.items()):
            _softhsm("--import", path, "--token", "issuer", "--label", label, "--id", f"0{number}", "--pin", PIN)
        module: Any = pkcs11.lib(MODULE)
        # Another test of this process had it read another configuration.
        module.reinitialize()
        yield module


def _softhsm(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)
