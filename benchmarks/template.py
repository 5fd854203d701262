"""Measure what the template costs, in CPU seconds, against Copier on its own.

Run it as `python -m benchmarks.template [N]`; without a number it takes 50 products. They are stamped in a scratch
workspace, every second one is edited by hand, the template gets a second version (a changed line, a moved file, a
new file), and all products follow. The baseline is `copier update`, a process per product, over a sample of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.build import FACTORY, Cost, measure

COPIER = (sys.executable, "-m", "copier")
KINDS = ("source_kind=events", "source_kind=entities", "archetype=aggregate", "archetype=consumer-aligned")
#: So many updates with Copier alone are run, and stand for all.
SAMPLE = 6


def git(folder: Path, *arguments: str) -> None:
    """Run git without the settings of whoever measures."""
    identity = {f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)


def commit(folder: Path, tag: str = "") -> None:
    """Commit everything, and tag it."""
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "bench")
    if tag:
        git(folder, "tag", tag)


def second_version(root: Path) -> None:
    """Change the template: a line, the place of a file, a new file."""
    docs = root / "templates/product/docs"
    runbook = docs / "runbook.md.jinja"
    runbook.write_text(runbook.read_text("utf-8").replace("# Runbook", "# Runbook of [[ name ]]", 1), "utf-8")
    (docs / "glossary.md.jinja").rename(docs / "words.md.jinja")
    (docs / "faq.md.jinja").write_text("# Questions\n", "utf-8")
    commit(root, "v1.1.0")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("products", nargs="?", type=int, default=50)
    count = parser.parse_args().products
    with tempfile.TemporaryDirectory(prefix="bench-template-") as scratch:
        root = Path(scratch) / "mesh"
        measure((*FACTORY, "init", str(root)), Path(scratch))
        git(root, "init", "--quiet")
        commit(root, "v1.0.0")
        names = [f"product_{number}" for number in range(count)]
        stamped = [
            measure((*FACTORY, "new", name, "--defaults", "-d", KINDS[number % len(KINDS)]), root)
            for number, name in enumerate(names)
        ]
        for name in names[::2]:
            with (root / f"products/{name}/docs/glossary.md").open("a", encoding="utf-8") as file:
                file.write("- **Ours**: a word of ours.\n")
        commit(root)
        second_version(root)
        status, status_seconds = timed((*FACTORY, "template", "status"), root)
        sample = names[:: max(1, count // SAMPLE)][:SAMPLE]
        alone = [measure((*COPIER, "update", "--defaults", f"products/{name}"), root) for name in sample]
        git(root, "checkout", "--quiet", ".")
        git(root, "clean", "-fdq", "products")
        update, update_seconds = timed((*FACTORY, "template", "update", "--all"), root)
    apart = sum(cost.cpu for cost in alone) / len(alone) * count
    rows = (
        ("factory new, one product", f"{sum(cost.cpu for cost in stamped) / count:.1f}"),
        (f"factory template status, {count} products", f"{status.cpu:.1f}"),
        ("    wall clock", f"{status_seconds:.1f}"),
        (f"(a) factory template update --all, {count} products", f"{update.cpu:.1f}"),
        ("    wall clock (goal at 50: 90 on two cores)", f"{update_seconds:.1f}"),
        ("    peak of the largest process, MB", f"{update.peak:.0f}"),
        (f"(b) copier update, a process per product ({len(alone)} run, the mean for all)", f"{apart:.1f}"),
        ("(b) / (a)", f"{apart / update.cpu:.1f}"),
    )
    width = max(len(name) for name, _ in rows)
    print(f"| {'CPU seconds':{width}} | {'':>7} |\n|{'-' * (width + 2)}|{'-' * 8}:|")
    for name, value in rows:
        print(f"| {name:{width}} | {value:>7} |")


def timed(command: tuple[str, ...], folder: Path) -> tuple[Cost, float]:
    """Return what a command cost, and how long it took."""
    begin = time.perf_counter()
    cost = measure(command, folder)
    return cost, time.perf_counter() - begin


if __name__ == "__main__":
    main()
