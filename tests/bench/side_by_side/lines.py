"""The speed lines: what each door must reach, beside the bare loop and beside what its users have today."""

from dataclasses import dataclass

CPU, RECONNECT = "cpu_us", "reconnect_us"
WHAT = {CPU: "CPU per call", RECONNECT: "a call on a new connection"}


@dataclass(frozen=True)
class Line:
    """At most ``limit`` times what the other takes; without a limit it is only shown."""

    door: str
    beside: str
    figure: str
    limit: float | None = None


LINES = [
    # Beside the loop of the same cryptography.
    Line("Rust (ring)", "bare loop (ring)", CPU, 1.10),
    Line("Rust (AWS-LC)", "bare loop (AWS-LC)", CPU, 1.10),
    Line("C", "bare loop (AWS-LC)", CPU, 1.12),
    Line("Python", "bare loop (AWS-LC)", CPU, 1.15),
    Line("Node", "bare loop (AWS-LC)", CPU, 1.20),
    Line("C", "libcurl", CPU, 0.92),
    Line("Python", "requests", CPU, 1 / 2.7),
    Line("Python", "httpx", CPU, 1 / 2.2),
    Line("Node", "undici", CPU, 1 / 1.6),
    Line("Node", "fetch", CPU, 1 / 3),
    Line("Node", "axios", CPU, 1 / 2.5),
    Line("Kotlin/JVM", "java.net.http", CPU, 1 / 2.5),
    Line("Rust (ring)", "bare loop (ring)", RECONNECT, 1.2),
    Line("Rust (AWS-LC)", "bare loop (AWS-LC)", RECONNECT, 1.2),
    Line("C", "bare loop (AWS-LC)", RECONNECT, 1.2),
    Line("Python", "bare loop (AWS-LC)", RECONNECT, 1.2),
    Line("Node", "bare loop (AWS-LC)", RECONNECT, 1.2),
    Line("Python", "requests", RECONNECT, 1 / 3),
    Line("Node", "undici", RECONNECT, 1 / 3),
    Line("Rust (AWS-LC)", "reqwest", CPU),
    Line("Rust (AWS-LC)", "reqwest blocking", CPU),
    Line("Python asyncio", "bare loop (AWS-LC)", CPU),
    Line("Python asyncio", "aiohttp", CPU),
    Line("Kotlin/JVM", "bare loop (ring)", CPU),
    Line("Rust (AWS-LC)", "reqwest", RECONNECT),
    Line("C", "libcurl", RECONNECT),
    Line("Kotlin/JVM", "java.net.http", RECONNECT),
]
