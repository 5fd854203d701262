"""Measure what publishing costs in a registry of many products, and how fast it is read.

Run it as `python -m benchmarks.registry [PRODUCTS [PROCESSES]]`, 1000 and 16 unless told. The baseline is one JSON file
of the same bytes, written anew for each publish under a lock, with fsync; for reading, `json.loads` of them.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import crowd

from factory.files import write_whole
from factory.locking import registry_locked
from factory.registry import read_index, refresh_index
from factory.workspace import Workspace

EACH = 10
FORK = multiprocessing.get_context("fork")


def timed(call: Callable[[], Any]) -> float:
    """Return the milliseconds of a call."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def together(count: int, prepare: Callable[[int], list[Any]], act: Callable[[Any], Any]) -> float:
    """Return how many times a second something is done by so many processes at once."""
    gate = FORK.Barrier(count + 1)

    def work(number: int) -> None:
        prepared = prepare(number)
        gate.wait()
        for one in prepared:
            act(one)

    processes = [FORK.Process(target=work, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    gate.wait()
    seconds = timed(lambda: [process.join() for process in processes]) / 1000
    assert all(process.exitcode == 0 for process in processes)
    return count * EACH / seconds


def rewritten(ws: Workspace, file: Path) -> None:
    """Read one file and write it anew: the baseline."""
    with registry_locked(ws.root / "baseline"):
        write_whole(file, json.dumps(json.loads(file.read_bytes())))


def main() -> None:
    words = sys.argv[1:]
    products, processes = int((words or ["1000"])[0]), int([*words, "", "16"][1] or 16)
    root = Path(tempfile.mkdtemp(prefix="registry-"))
    try:
        measure(crowd.a_place(root), products, processes)
    finally:
        shutil.rmtree(root)


def measure(ws: Workspace, products: int, processes: int) -> None:
    print(
        f"filled: {products} products in {timed(lambda: crowd.fill(ws, range(products))) / 1000:.1f} s",
        flush=True,
    )
    file, copy = ws.registry / "registry.json", ws.root / "baseline.json"
    shutil.copy(file, copy)
    ours = together(
        processes,
        lambda number: [
            crowd.evidence_of(ws.root, products + number, f"1.{minor}.0") for minor in range(EACH)
        ],
        lambda evidence: crowd.publish(ws, evidence),
    )
    baseline = together(processes, lambda _: [None] * EACH, lambda _: rewritten(ws, copy))
    print(
        f"publishes a second, {processes} processes: {ours:.0f}"
        f"  (goal 20; one JSON file {baseline:.0f}, ratio {ours / baseline:.2f})"
    )
    alone = [crowd.evidence_of(ws.root, products + processes, f"1.{minor}.0") for minor in range(EACH)]
    spent = sorted(timed(lambda each=each: crowd.publish(ws, each)) for each in alone)
    print(f"a publish alone: median {spent[EACH // 2]:.0f} ms, longest {spent[-1]:.0f} ms  (goal 200)")
    raw = file.read_bytes()
    parsed = min(timed(lambda: json.loads(raw)) for _ in range(5))
    read = min(timed(lambda: read_index(ws)) for _ in range(5))
    print(
        f"read_index: {read:.1f} ms for {len(raw) / 1e6:.2f} MB"
        f"  (json.loads {parsed:.1f}, ratio {read / parsed:.2f})"
    )
    (ws.root / "pyproject.toml").write_text('[tool.factory]\ntitle = "Many"\n', "utf-8")
    (ws.root / "products").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "factory", "-C", str(ws.root), "list"]
    listed = min(
        timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) for _ in range(3)
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"factory list, cold: {listed:.0f} ms, at most {peak:.0f} MB of any process")
    print(f"the index made anew from the folders: {timed(lambda: refresh_index(ws, None)) / 1000:.1f} s")


if __name__ == "__main__":
    main()
