"""Whose calls are measured, and how each is told what to do."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent.parent

RING, AWS_LC, OPENSSL, JDK = "ring", "AWS-LC", "OpenSSL", "the JDK"
FLOOR, DOOR, PEER = "floor", "door", "peer"
ATTEMPTS = 3


@dataclass(frozen=True)
class Work:
    """What one process does. Without ``together``, one call after the other; without ``keeps``, each on a new connection."""

    calls: int
    together: int = 1
    keeps: bool = True
    once: bool = False


@dataclass(frozen=True)
class Side:
    """One program. ``together`` is its word for several calls at once."""

    name: str
    family: str
    kind: str
    crypto: str
    command: tuple[str, ...]
    together: str = "together"
    environment: dict[str, str] = field(default_factory=dict, hash=False)
    rehearsals: int = 20
    """Calls before the clock starts, on one connection; as many as its runtime takes to compile what is hot."""

    def line(self, work: Work) -> list[str]:
        if work.once:
            words = ["once"]
        elif not work.keeps:
            words = ["new-connection", str(work.calls)]
        elif work.together > 1:
            words = [self.together, str(work.together), str(work.calls // work.together)]
        else:
            words = ["kept-alive", str(work.calls)]
        return [*self.command, *words]

    def rehearsed(self, work: Work) -> int:
        """Calls before the clock starts, of each thread."""
        if work.once:
            return 0
        of_connections = max(5, self.rehearsals // 10)
        return max(2, self.rehearsals // work.together) if work.keeps else of_connections


class RustSide(Side):
    """One of ``cbpii-bench work``, whose command line is another."""

    def line(self, work: Work) -> list[str]:
        mode = "kept" if work.keeps else "fresh"
        return [*self.command, mode, str(work.together), str(1 if work.once else work.calls // work.together)]


@dataclass(frozen=True)
class Run:
    """What one process told, and the seconds from its start to the line that told it."""

    told: dict[str, Any]
    until_told: float


@dataclass(frozen=True)
class Built:
    """Where the programs are."""

    ring: str
    aws_lc: str
    c: str
    reqwest: str
    classpath: str


class Runner:
    """Starts the programs, with the server's facts in their environment."""

    def __init__(self, facts: dict[str, str], setup_file: Path) -> None:
        setup_file.write_text(json.dumps(facts))
        variables = {f"BENCH_{name.upper()}": value for name, value in facts.items()}
        self.environment = {**os.environ, **variables, "BENCH_SETUP": json.dumps(facts), "BENCH_SETUP_FILE": str(setup_file)}

    def run(self, side: Side, work: Work) -> Run:
        """A process that fails, because the machine stood still for longer than a call may take, is started again."""
        for _ in range(ATTEMPTS):
            run = self._run(side, work)
            if run is not None:
                return run
            print(f"{side.name}, {work}: failed", file=sys.stderr)
        sys.exit(f"{side.name} failed {ATTEMPTS} times")

    def _run(self, side: Side, work: Work) -> Run | None:
        line = [self.environment.get(word[1:], word) if word.startswith("$") else word for word in side.line(work)]
        environment = {**self.environment, **side.environment, "BENCH_REHEARSALS": str(side.rehearsed(work))}
        started = time.perf_counter()
        with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = process.stdout.readline()
            until_told = time.perf_counter() - started
        return Run(json.loads(told), until_told) if process.returncode == 0 and told else None


FAMILIES = ("rust", "c", "python", "node", "jvm")


def rust(name: str, kind: str, crypto: str, program: str, side: str) -> Side:
    return RustSide(name, "rust", kind, crypto, (program, "work", "$BENCH_SETUP_FILE", side))


def all_sides(built: Built) -> list[Side]:
    def python(name: str, kind: str, crypto: str, file: str, together: str, **environment: str) -> Side:
        command = (sys.executable, str(BENCH / "python" / file))
        return Side(name, "python", kind, crypto, command, together, environment, rehearsals=50)

    def node(name: str, kind: str, crypto: str, file: str) -> Side:
        return Side(name, "node", kind, crypto, ("node", str(BENCH / "node" / file)), "in-flight", rehearsals=300)

    def jvm(name: str, kind: str, crypto: str, program: str) -> Side:
        return Side(name, "jvm", kind, crypto, ("java", "-cp", built.classpath, program), rehearsals=1500)

    return [
        rust("bare loop (ring)", FLOOR, RING, built.ring, "bare"),
        rust("bare loop (AWS-LC)", FLOOR, AWS_LC, built.aws_lc, "bare"),
        rust("Rust (ring)", DOOR, RING, built.ring, "cbpii"),
        rust("Rust (AWS-LC)", DOOR, AWS_LC, built.aws_lc, "cbpii"),
        Side("reqwest", "rust", PEER, AWS_LC, (built.reqwest, "async")),
        Side("reqwest blocking", "rust", PEER, AWS_LC, (built.reqwest, "blocking")),
        # As it is installed: AWS-LC's RSA, where the processor has AVX-512 IFMA, and ring's TLS.
        Side("C", "c", DOOR, AWS_LC, (f"{built.c}/cbpii_loop",), "threads"),
        Side("libcurl", "c", PEER, OPENSSL, (f"{built.c}/libcurl_loop",), "threads"),
        python("Python", DOOR, AWS_LC, "with_cbpii.py", "threads"),
        python("Python asyncio", DOOR, AWS_LC, "with_cbpii.py", "tasks", BENCH_ASYNC="1"),
        python("requests", PEER, OPENSSL, "by_hand_requests.py", "threads"),
        python("httpx", PEER, OPENSSL, "by_hand_httpx.py", "threads"),
        python("aiohttp", PEER, OPENSSL, "by_hand_aiohttp.py", "tasks"),
        node("Node", DOOR, AWS_LC, "with_cbpii.cjs"),
        node("undici", PEER, OPENSSL, "by_hand_undici.cjs"),
        node("fetch", PEER, OPENSSL, "by_hand_fetch.cjs"),
        node("axios", PEER, OPENSSL, "by_hand_axios.cjs"),
        jvm("Kotlin/JVM", DOOR, RING, "WithCbpii"),
        jvm("java.net.http", PEER, JDK, "ByHand"),
    ]
