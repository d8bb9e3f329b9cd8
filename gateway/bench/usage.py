"""What processes and the GPU use, from `/proc` and `nvidia-smi`, sampled over time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

INTERVAL: Final = 1.0
"""Seconds between two samples."""
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """Some processes at one moment."""

    at: float
    """Monotonic seconds."""
    cpu_seconds: float
    """Since they began."""
    resident_mib: float
    threads: int
    descriptors: int


@dataclass(frozen=True, slots=True)
class Gpu:
    """The server's GPU at one moment, all processes together."""

    busy: float
    """Share of time with a kernel on it, 0..1."""
    memory_mib: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: the server, the participants, the GPU."""

    server: Usage
    clients: Usage | None
    gpu: Gpu | None


def usage(pids: Sequence[int]) -> Usage | None:
    """The sum over processes that live; `None` without one, or without a `/proc`."""
    found = [each for each in map(_of_process, pids) if each is not None]
    if not found:
        return None
    return Usage(
        at=time.monotonic(),
        cpu_seconds=sum(each.cpu_seconds for each in found),
        resident_mib=sum(each.resident_mib for each in found),
        threads=sum(each.threads for each in found),
        descriptors=sum(each.descriptors for each in found),
    )


def _of_process(pid: int) -> Usage | None:
    folder = Path("/proc") / str(pid)
    try:
        # The name in parentheses may hold spaces; the fields after it are numbered from 3.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        descriptors = len(os.listdir(folder / "fd"))
    except OSError:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    return Usage(
        at=time.monotonic(),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / ticks,
        resident_mib=int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / MIB,
        threads=int(fields[17]),
        descriptors=descriptors,
    )


class Sampler:
    """Takes a `Sample` whenever `tick` finds one due."""

    def __init__(self, server: int, clients: Sequence[int], gpu: GpuMeter | None = None) -> None:
        self.samples: list[Sample] = []
        self._server, self._clients, self._gpu = server, clients, gpu

    def tick(self) -> None:
        """Cheap when nothing is due."""
        if self.samples and time.monotonic() < self.samples[-1].server.at + INTERVAL:
            return
        server = usage([self._server])
        if server is not None:
            gpu = self._gpu.latest if self._gpu is not None else None
            self.samples.append(Sample(server, usage(self._clients), gpu))


class GpuMeter:
    """The newest reading of one `nvidia-smi` that goes on reading; made by `gpu_meter`."""

    def __init__(self) -> None:
        self.latest: Gpu | None = None

    def read(self, lines: IO[str]) -> None:
        """Until they end; on a thread of its own."""
        for line in lines:
            busy, _, memory = line.partition(",")
            try:
                self.latest = Gpu(float(busy) / 100, float(memory))
            except ValueError:
                # "[N/A]" on parts of a divided GPU.
                self.latest = None


@contextmanager
def gpu_meter(device: str) -> Iterator[GpuMeter | None]:
    """For a device as a server names it, such as "NVIDIA H100 (cuda:0)"; `None` for any other."""
    program = shutil.which("nvidia-smi")
    found = re.search(r"\(cuda(?::(\d+))?\)", device)
    if program is None or found is None:
        yield None
        return
    command = [
        *(program, f"--id={found[1] or 0}", "--loop=1", "--format=csv,noheader,nounits"),
        "--query-gpu=utilization.gpu,memory.used",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    meter = GpuMeter()
    reader = threading.Thread(target=meter.read, args=(process.stdout,), name="nvidia-smi")
    reader.start()
    try:
        yield meter
    finally:
        process.terminate()
        process.wait()
        reader.join()
        process.stdout.close()


def cores(usages: Sequence[Usage]) -> float | None:
    """How many cores were busy between the first and the last; `None` of fewer than two."""
    if len(usages) < 2 or usages[-1].at <= usages[0].at:
        return None
    first, last = usages[0], usages[-1]
    return (last.cpu_seconds - first.cpu_seconds) / (last.at - first.at)


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """Averages and highest values over a measurement."""

    server_cores: float | None
    client_cores: float | None
    server_mib: float
    threads: int
    descriptors: int
    gpu_busy: float | None
    gpu_mib: float | None


def usage_figures(samples: Sequence[Sample]) -> UsageFigures | None:
    """`None` without samples."""
    if not samples:
        return None
    servers = [sample.server for sample in samples]
    clients = [sample.clients for sample in samples if sample.clients is not None]
    gpus = [sample.gpu for sample in samples if sample.gpu is not None]
    return UsageFigures(
        server_cores=_rounded(cores(servers)),
        client_cores=_rounded(cores(clients)),
        server_mib=round(max(each.resident_mib for each in servers)),
        threads=max(each.threads for each in servers),
        descriptors=max(each.descriptors for each in servers),
        gpu_busy=_rounded(sum(each.busy for each in gpus) / len(gpus)) if gpus else None,
        gpu_mib=max(each.memory_mib for each in gpus) if gpus else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
