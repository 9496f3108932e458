"""Fixtures."""

import logging
import os
from pathlib import Path

import pytest
from cbpii.testing import Sandbox
from command import STORE_KEY, configuration

# It logs whole addresses, and a callback's has the code in it. What is searched for secrets is what the package logs.
logging.getLogger("httpx").setLevel(logging.WARNING)
# Nor what a notebook shows its reader, which its kernel's client logs.
logging.getLogger("traitlets").setLevel(logging.WARNING)


@pytest.fixture
def sandbox(cbpii_sandbox: Sandbox) -> Sandbox:
    """The bank, as at its start: the fixture that comes with the package."""
    return cbpii_sandbox


@pytest.fixture
def configured(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a command, with a configuration for the sandbox bank and an empty store."""
    (tmp_path / "cbpii.toml").write_text(configuration(sandbox))
    (tmp_path / "store.key").write_text(STORE_KEY.hex())
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CBPII_") and name != "CBPII_SANDBOX"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path
