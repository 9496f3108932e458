"""What is documented is documented everywhere, and alike."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import cbpii
import pytest
from cbpii import _cbpii

# These have no constructor.
MADE_ELSEWHERE = (cbpii.PendingConsent, cbpii.RenewalsDue, cbpii.Session)
STUB = Path(cbpii.__file__).with_name("_cbpii.pyi")


def documented() -> Iterator[tuple[str, str]]:
    """What the stub documents, by its place."""
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node.name, ast.get_docstring(node) or ""
        for member in node.body:
            if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                yield f"{node.name}.{member.name}", ast.get_docstring(member) or ""


@pytest.mark.parametrize(("place", "text"), list(documented()))
def test_the_extension_says_what_its_stub_says(place: str, text: str) -> None:
    thing: object = _cbpii
    for name in place.split("."):
        thing = getattr(thing, name)
    assert text
    assert inspect.getdoc(thing) == text
    if callable(thing) and thing not in MADE_ELSEWHERE:
        assert inspect.signature(thing)


def test_everything_public_is_documented() -> None:
    for name in cbpii.__all__:
        thing = getattr(cbpii, name)
        if not inspect.isclass(thing):
            continue
        assert thing.__doc__, name
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, (property, classmethod))):
                assert inspect.getdoc(getattr(thing, member)), f"{name}.{member}"


def test_names_that_are_imported_later_are_there() -> None:
    assert set(cbpii.__all__) <= set(dir(cbpii))
    everything: dict[str, object] = {}
    exec("from cbpii import *", everything)
    assert set(cbpii.__all__) <= set(everything)
    assert cbpii.errors.CbpiiError is cbpii.CbpiiError
    with pytest.raises(AttributeError, match="no attribute 'Bnak'"):
        cbpii.Bnak  # type: ignore[attr-defined] # noqa: B018


def test_the_names_are_those_of_the_package() -> None:
    assert sorted(cbpii.__all__) == sorted(set(cbpii.__all__))
    public = {name for name, value in vars(cbpii).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert public <= set(cbpii.__all__)
    for name in _cbpii.__all__:
        if not name.startswith("_"):
            assert getattr(cbpii, name) is getattr(_cbpii, name)
            assert getattr(_cbpii, name).__module__ == "cbpii"
