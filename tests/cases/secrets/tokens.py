"""Tokens of known formats, made by lot at run time: none is ever written into a file of this repository."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CLASSES = {
    "a": LETTERS + LETTERS.upper() + "0123456789",
    "l": LETTERS + "0123456789",
    "u": LETTERS.upper() + "0123456789",
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "d": "0123456789",
    "w": LETTERS + LETTERS.upper() + "0123456789_-",
    "b": LETTERS + LETTERS.upper() + "0123456789+/",
    "2": LETTERS.upper() + "234567",
    "q": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}


def tokens(seed: int = 0) -> Iterator[tuple[str, str]]:
    """Yield name and token, one of each format of `tokens.txt`."""
    lot = random.Random(seed)
    for line in Path(__file__).with_name("tokens.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, template, _ = line.split(" | ")
            yield name, filled(template, lot)


def filled(template: str, lot: random.Random) -> str:
    """Return a template with characters by lot in it; the last of each run is a letter or a digit."""

    def drawn(found: re.Match[str]) -> str:
        if found[0].startswith("{U"):
            return str(uuid.UUID(int=lot.getrandbits(128), version=4))
        letters, size = CLASSES[found[2]], int(found[1])
        plain = [each for each in letters if each.isalnum()]
        return "".join(lot.choice(letters) for _ in range(size - 1)) + lot.choice(plain)

    return re.sub(r"\{(?:(\d+):(\w)|U4?)\}", drawn, template).replace("\\n", "\n").replace("\\\n", "\\n")


def harmless(seed: int = 0, times: int = 20) -> Iterator[str]:
    """Yield texts without a secret: names, SQL and descriptions, and hashes, ids and pictures made by lot."""
    lot = random.Random(seed)
    here = Path(__file__).parent
    for line in (here / "harmless.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield from (filled(line, lot) for _ in range(times))
    yield from (here / "plain.txt").read_text("utf-8").splitlines()
