"""Reads signed requests (a JSON list, on the standard input) with PyPI's httpsig and says which are valid.

Answers with a JSON object of name to "valid", or to what is wrong.
"""

import base64
import hashlib
import json
import sys
import warnings

warnings.filterwarnings("ignore", category=UserWarning)  # of pkg_resources

from httpsig import HeaderVerifier  # noqa: E402


def verdict(request):
    headers = {name.lower(): value for name, value in request["headers"]}
    if len(headers) != len(request["headers"]):
        return "a header is there twice"
    body = base64.b64decode(request["body"])
    digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    if headers.get("digest") != digest:
        return "digest"
    if not request["required"]:
        return "no header is required"  # an empty list would mean the date to httpsig
    try:
        verifier = HeaderVerifier(
            headers,
            request["public_key"],
            required_headers=request["required"],
            method=request["method"],
            path=request["target"],
            host=headers["host"],
            sign_header="signature",
        )
        return "valid" if verifier.verify() else "signature"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


json.dump({request["name"]: verdict(request) for request in json.load(sys.stdin)}, sys.stdout)
