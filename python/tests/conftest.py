"""Fixtures."""

from collections.abc import Iterator

import pytest
from support import Sandbox


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """One bank for all tests of a process: its keys take a second or two to make."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The bank, as at its start."""
    running_sandbox.reset()
    return running_sandbox
