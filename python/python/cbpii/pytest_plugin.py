"""Fixtures for pytest, there as soon as the package is installed: a sandbox bank for tests of your own code.

``-p no:cbpii`` on pytest's command line leaves them out.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .testing import Sandbox


@pytest.fixture(scope="session")
def cbpii_sandbox_session() -> "Iterator[Sandbox]":
    """One sandbox bank for all tests of the session (its keys take a second or two to make). It is never reset; most
    tests want ``cbpii_sandbox``."""
    from .testing import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def cbpii_sandbox(cbpii_sandbox_session: "Sandbox") -> "Sandbox":
    """A sandbox bank (``cbpii.testing.Sandbox``), as at its start: no faults, no requests seen, real time."""
    cbpii_sandbox_session.reset()
    return cbpii_sandbox_session
