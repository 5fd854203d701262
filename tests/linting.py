"""Contracts with marked faults, for the tests of the linter: see tests/cases/lint/bad.yaml."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).parent / "cases/lint"
VERSIONS = ("3.0.0", "3.0.1", "3.0.2", "3.1.0", "3.2.0")


def cases(name: str) -> dict[str, dict[str, Any]]:
    """Return the cases of a file by their names, `name-version`."""
    listed = yaml.load((CASES / f"{name}.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    found = {f"{case['name']}-{case['version']}": case for case in listed}
    assert len(found) == len(listed), "two cases of one name"
    return found


@cache
def base(version: str) -> str:
    """Return the contract of base.tmpl as a version of ODCS has it, with its anchors.

    A line that ends in `#v30` is of 3.0 alone, in `#v31` from 3.1 on, in `#v32` from 3.2 on.
    """
    known = {"30": version < "3.1", "31": version >= "3.1", "32": version >= "3.2"}
    lines = []
    for line in (CASES / "base.tmpl").read_text("utf-8").replace("{ver}", version).split("\n"):
        found = re.search(r" *#v(30|31|32)$", line)
        if not found:
            lines.append(line)
        elif known[found[1]]:
            lines.append(line[: found.start()])
    return "\n".join(lines)


def contract_text(case: dict[str, Any]) -> str:
    """Return the contract of a case: a whole text, or the base with its replacements and insertions."""
    if "text" in case:
        return str(case["text"])
    text = base(case["version"])
    for change in case.get("replace", ()):
        assert text.count(change["old"]) == 1, change["old"]
        text = text.replace(change["old"], change["new"])
    for anchor, added in case.get("at", {}).items():
        found = re.search(rf"^( *)#@{anchor}$", text, re.MULTILINE)
        assert found, f"no anchor {anchor}"
        lines = "\n".join(found[1] + line if line else line for line in added.split("\n"))
        text = text[: found.start()] + lines + text[found.end() :]
    return re.sub(r"^ *#@\w+\n", "", text, flags=re.MULTILINE)


def marked_lines(text: str) -> set[int]:
    """Return the numbers of the lines that are marked: `# <-`, with `# <-+2` those two behind it too."""
    found: set[int] = set()
    for number, line in enumerate(text.split("\n"), 1):
        mark = re.search(r"# <-(?:\+(\d+))?", line)
        if mark:
            found.update(range(number, number + 1 + int(mark[1] or 0)))
    return found
