"""The funds check by hand, with httpx and cryptography: a ``Client`` with one connection per thread."""

import httpx

from by_hand import CALL_SECONDS, CONNECT_SECONDS, CONSTANT_HEADERS, Funds, tls_context
from works import Call, Config, Side, main


class Httpx(Side):
    def __init__(self, config: Config, keeps: bool) -> None:
        self.keeps = keeps
        self.funds = Funds(config)
        self.context = tls_context(config)

    def client(self) -> httpx.Client:
        client = httpx.Client(
            verify=self.context,
            headers=CONSTANT_HEADERS,
            timeout=httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_keepalive_connections=None if self.keeps else 0),
            trust_env=False,
        )
        del client.headers["Connection"]
        return client

    def caller(self) -> Call:
        client, funds = self.client(), self.funds

        def call() -> None:
            body, headers = funds.request()
            response = client.post(funds.url, content=body, headers=headers)
            funds.check(response.status_code, response.json())

        return call


if __name__ == "__main__":
    main(Httpx)
