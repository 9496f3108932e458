"""The machine that is measured on, and how quiet it is."""

import os
import platform
import resource
from datetime import datetime, timezone
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def described() -> str:
    """In a few words: when, and on what."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.split(":")[1].strip() for line in facts.splitlines() if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    ifma = "with" if "avx512ifma" in facts else "without"
    day = datetime.now(timezone.utc).strftime("%d %B %Y").lstrip("0")
    return f"{day}, {os.cpu_count()} cores of {model} ({ifma} AVX-512 IFMA)"


class Load:
    """What others do on this machine, from now on."""

    def __init__(self) -> None:
        self._busy, self._all = processor()
        self._own = own()

    def others(self) -> float:
        """The share of the processor that programs other than ours took so far. Our processes must have ended."""
        busy, everything = processor()
        others = (busy - self._busy) - (own() - self._own)
        return max(0.0, others / (everything - self._all))


def processor() -> tuple[float, float]:
    """Busy and whole processor seconds since the machine's start, by all; time stolen by other machines is busy."""
    numbers = [int(word) / TICK for word in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    idle = numbers[3] + numbers[4]
    return sum(numbers) - idle, sum(numbers)


def own() -> float:
    """Processor seconds of this process and of those it started that have ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)
