"""Fixtures."""

import pytest
from cbpii.testing import Sandbox


@pytest.fixture
def sandbox(cbpii_sandbox: Sandbox) -> Sandbox:
    """The bank, as at its start: the fixture that comes with the package."""
    return cbpii_sandbox
