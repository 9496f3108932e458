"""No key, certificate or keystore is in the repository."""

import base64
import binascii
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = {".p12", ".pfx", ".pem", ".key", ".der", ".crt", ".cer", ".jks", ".p8"}
BUILT = {".git", ".build", "target", "dist", "node_modules"}
BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\\s]{40,})-----END")


def is_material(text: bytes) -> bool:
    """Whether a PEM block is in it whose contents are ASN.1, not a mere example of how one looks."""
    blocks = BLOCK.findall(text.replace(rb"\n", b"\n"))
    return any(is_asn1(re.sub(rb"\s", b"", contents)) for _, contents in blocks)


def is_asn1(contents: bytes) -> bool:
    try:
        return base64.b64decode(contents)[:1] == b"0"
    except binascii.Error:
        return False


def files() -> list[pathlib.Path]:
    """What is checked in; outside of a checkout, what is there and was not built."""
    # The checkout may be another user's.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
        names = [ROOT / name for name in listed if name]
    except (subprocess.CalledProcessError, FileNotFoundError):
        names = [path for path in ROOT.rglob("*") if not BUILT & set(path.relative_to(ROOT).parts)]
    return [path for path in names if path.is_file()]


def test_no_file_is_one():
    found = files()
    assert len(found) > 100
    assert [path for path in found if path.suffix in KINDS] == []


def test_no_text_holds_one():
    assert [path for path in files() if is_material(path.read_bytes())] == []


@pytest.mark.parametrize("line_end", [b"\n", rb"\n", b"\r\n"])
def test_one_would_be_found(line_end):
    contents = base64.b64encode(b"0" + bytes(90))
    lines = [b"-----BEGIN " + b"PRIVATE KEY-----", contents[:64], contents[64:], b"-----END " + b"PRIVATE KEY-----"]
    assert is_material(b"text " + line_end.join(lines))
