"""How many requests a second does a service answer, how quickly, at what cost, and does it last?

    python benchmarks/serving.py RUN [--workers 2] [--requests 20000] [--connections 16]
    python benchmarks/serving.py RUN --lasting        # 100,000 requests, 5 % of them malformed
    python benchmarks/serving.py RUN --swap           # a newer version is put into the folder twice meanwhile
    python benchmarks/serving.py RUN --silent 200     # so many clients connect and say nothing meanwhile

RUN is the folder of a race, or of a saved model, whose example row is asked about, one row a request. The service is
started by this program and shares the machine with it. CPU is that of the service's processes alone. With `--at RATE`
requests come at that rate, whether the ones before were answered or not, and what waits counts as time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import tables

BAD = (b"{", b"[]", b'{"no": 1}', b"NaN", b"[" * 500, b'{"a": 1e999}', b"\xff", b"null")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--at", type=float, metavar="RATE", help="requests a second, at even times")
    parser.add_argument(
        "--lasting", action="store_true", help="100,000 requests, 5 %% malformed; memory first and last"
    )
    parser.add_argument("--swap", action="store_true", help="put newer versions into the folder meanwhile")
    parser.add_argument("--silent", type=int, default=0, metavar="N", help="clients that connect and say nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        source = options.run / "model" if (options.run / "model").is_dir() else options.run
        folder = Path(shutil.copytree(source, Path(place) / "model"))
        tables.show([_measured(folder, options)])


def _measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    words = ["serve", f"m={folder}", "--port", "0", "--workers", str(options.workers), "--rate", "off"]
    service = subprocess.Popen([sys.executable, "-m", "deepenough.cli", *words], stderr=subprocess.PIPE, text=True)
    assert service.stderr
    try:
        line = service.stderr.readline()
        port = int(re.search(r":(\d+)$", line.strip())[1])  # type: ignore[index]  # without it there is nothing to measure
        load = Load(port, folder, options)
        asyncio.run(load.warm())
        processes = [psutil.Process(service.pid), *psutil.Process(service.pid).children(recursive=True)]
        before = _cpu(processes)
        figures = asyncio.run(load.run(processes))
        return figures | {"cpu_ms_a_request": 1000 * (_cpu(processes) - before) / load.total}
    finally:
        service.terminate()
        service.wait()


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def _megabytes(processes: list[psutil.Process]) -> float:
    return sum(process.memory_info().rss for process in processes) / 1e6


class Load:
    """Clients that keep their connections open and ask one row after the other."""

    def __init__(self, port: int, folder: Path, options: argparse.Namespace) -> None:
        self.port, self.folder, self.options = port, folder, options
        self.total = 100_000 if options.lasting else options.requests
        self.statuses: Counter[str] = Counter()
        self.versions: set[bytes] = set()
        self.seconds: list[float] = []
        self.left, self.draw = 0, random.Random(0)
        self.start = 0.0
        example = json.loads((folder / "schema.json").read_text())["example"]
        self.good = json.dumps(example).encode()

    async def warm(self) -> None:
        """Every process answers a few before anything is counted."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                for _ in range(40):
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    for _ in range(10):
                        await self._one(reader, writer, self.good)
                    writer.close()
                return
            except OSError:
                await asyncio.sleep(0.2)

    async def run(self, processes: list[psutil.Process]) -> dict[str, Any]:
        """All requests; what was measured."""
        silent = [await asyncio.open_connection("127.0.0.1", self.port) for _ in range(self.options.silent)]
        self.left, self.start = self.total, time.perf_counter()
        memory: list[float] = []
        watching = asyncio.create_task(self._watch(processes, memory))
        swapping = asyncio.create_task(self._swap()) if self.options.swap else None
        await asyncio.gather(*(self._client() for _ in range(self.options.connections)))
        wall = time.perf_counter() - self.start
        watching.cancel()
        if swapping:
            swapping.cancel()
        for _, writer in silent:
            writer.close()
        tenth = max(1, len(memory) // 10)
        p50, p99 = 1000 * np.percentile(self.seconds, [50, 99])
        return {
            "workers": self.options.workers,
            "requests": self.total,
            "a_second": self.total / wall,
            "p50_ms": float(p50),
            "p99_ms": float(p99),
            "statuses": " ".join(f"{status}:{count}" for status, count in sorted(self.statuses.items())),
            "versions": len(self.versions),
            "mb_first_tenth": float(np.mean(memory[:tenth])),
            "mb_last_tenth": float(np.mean(memory[-tenth:])),
            "load": os.getloadavg()[0],
        }

    async def _watch(self, processes: list[psutil.Process], memory: list[float]) -> None:
        while True:
            memory.append(_megabytes(processes))
            await asyncio.sleep(0.2)

    async def _swap(self) -> None:
        """Put the same model under another manifest into the folder, as a save does."""
        for number in range(1000):
            await asyncio.sleep(6)
            new = self.folder.with_name("new")
            shutil.copytree(self.folder, new)
            content = json.loads((new / "manifest.json").read_text())
            (new / "manifest.json").write_text(json.dumps(content | {"note": f"version {number}"}))
            self.folder.rename(self.folder.with_name("old"))
            new.rename(self.folder)
            shutil.rmtree(self.folder.with_name("old"))

    async def _client(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while self.left > 0:
            number, self.left = self.total - self.left, self.left - 1
            bad = self.options.lasting and self.draw.random() < 0.05
            due = self.start + number / self.options.at if self.options.at else time.perf_counter()
            await asyncio.sleep(max(0.0, due - time.perf_counter())) if self.options.at else None
            try:
                status, version = await self._one(reader, writer, self.draw.choice(BAD) if bad else self.good)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.statuses[type(error).__name__] += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                continue
            self.seconds.append(time.perf_counter() - due)
            self.statuses[status + ("(bad)" if bad else "")] += 1
            self.versions |= {version} if version else set()
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> tuple[str, bytes]:
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}"
        writer.write(head.encode() + b"\r\n\r\n" + body)
        told = await reader.readuntil(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", told)[1])  # type: ignore[index]  # every reply has one
        await reader.readexactly(size)
        version = re.search(rb"x-model-version: (\w+)", told)
        return told[9:12].decode(), version[1] if version else b""


if __name__ == "__main__":
    main()
