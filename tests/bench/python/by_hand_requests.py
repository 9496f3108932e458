"""The funds check by hand, with requests and cryptography: a ``Session`` per thread, for one is not to be shared.

The client certificate is read once, into a TLS context that an adapter gives to every connection. With ``BENCH_TLS_FILES``
in the environment it is done as the documentation of requests has it, ``session.cert``: then each new connection reads
and parses the files.
"""

import json
import os
import ssl
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from by_hand import CALL_SECONDS, CONNECT_SECONDS, CONSTANT_HEADERS, Funds, tls_context
from works import YES, Call, Config, Side, main


class ContextAdapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)


class Requests(Side):
    def __init__(self, config: Config, keeps: bool) -> None:
        self.config = config
        self.keeps = keeps
        self.funds = Funds(config)
        self.context = None if "BENCH_TLS_FILES" in os.environ else tls_context(config)

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers.clear()
        session.headers.update(CONSTANT_HEADERS)
        if not self.keeps:
            session.headers["Connection"] = "close"
        session.verify = self.config.ca
        if self.context is None:
            session.cert = (self.config.qwac_chain, self.config.qwac_key)
        else:
            session.mount("https://", ContextAdapter(self.context))
        return session

    def caller(self) -> Call:
        session, funds = self.session(), self.funds

        def call() -> None:
            body, headers = funds.request()
            response = session.post(
                funds.url, data=body, headers=headers, timeout=(CONNECT_SECONDS, CALL_SECONDS), allow_redirects=False
            )
            funds.check(response.status_code, response.json())

        return call

    def caller_in_memory(self) -> Call:
        funds = self.funds

        def call() -> None:
            body, _ = funds.request()
            funds.check(200, json.loads(YES % body))

        return call


if __name__ == "__main__":
    main(Requests)
