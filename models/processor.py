"""The machine's own processor. No torch: anyone may ask."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path


def processors() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busyness() -> str | None:
    """What to say of figures that are measured from now on, where others use the machine too."""
    return busy(os.getloadavg()[0], processors()) if hasattr(os, "getloadavg") else None


def busy(load: float, cores: int) -> str | None:
    """The same of a load average, of the last minute, on so many cores."""
    if load <= cores:
        return None
    return f"the machine was busy before this began: load average {load:.1f} on {cores} cores"


def processor_name() -> str:
    """The processor's name as its maker writes it."""
    for line in _processor_lines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown processor"


def processor_gains_by_int8() -> bool:
    """Whether it multiplies bytes faster than fp32 and has no bf16 of its own, which loses less."""
    return gains_by_int8(_processor_lines())


def gains_by_int8(lines: Iterable[str]) -> bool:
    """The same of a processor that the lines of `/proc/cpuinfo` describe: 32 bytes at a time."""
    lines = list(lines)
    return "avx2" in _flags(lines) and not multiplies_bf16(lines)


def processor_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself (AVX512-BF16 or AMX); else it is slower."""
    return multiplies_bf16(_processor_lines())


def multiplies_bf16(lines: Iterable[str]) -> bool:
    """The same of a processor that the lines of `/proc/cpuinfo` describe."""
    return bool({"avx512_bf16", "amx_bf16"} & _flags(lines))


def _flags(lines: Iterable[str]) -> set[str]:
    return set(next((line for line in lines if line.startswith("flags")), "").split())


def _processor_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
