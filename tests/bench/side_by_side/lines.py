"""The speed lines: what each door must reach, beside the bare loop and beside what its users have today."""

from dataclasses import dataclass

CPU, RECONNECT, RPS_8, RPS_32 = "cpu_us", "reconnect_us", "rps_8", "rps_32"
WHAT = {
    CPU: "CPU per call",
    RECONNECT: "a call on a new connection",
    RPS_8: "calls/s with 8 in flight",
    RPS_32: "calls/s with 32 in flight",
}
MORE_IS_BETTER = {RPS_8, RPS_32}


@dataclass(frozen=True)
class Line:
    """At most ``limit`` times what the other takes, or at least as many times its calls; without one it is shown."""

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
    Line("C", "libcurl", RPS_32, 1.1),
    Line("Python", "requests", RPS_8, 4),
    Line("Python", "requests", RPS_32, 5),
    Line("Node", "undici", RPS_32, 2.5),
    Line("Rust (AWS-LC)", "reqwest", CPU),
    Line("Rust (AWS-LC)", "reqwest blocking", CPU),
    Line("Python asyncio", "bare loop (AWS-LC)", CPU),
    Line("Python asyncio", "aiohttp", CPU),
    Line("Kotlin/JVM", "bare loop (ring)", CPU),
    Line("Rust (AWS-LC)", "reqwest", RECONNECT),
    Line("C", "libcurl", RECONNECT),
    Line("Kotlin/JVM", "java.net.http", RECONNECT),
]
