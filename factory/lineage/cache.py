"""What was found about statements before, kept in one file, by the fingerprint of all that the finding depends on.

Takes fingerprints; gives what was kept for them. The file may be deleted at any time, and two runs may use it at once:
it is read whole, replaced whole, and each line is checked by its own digest.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from importlib.metadata import version
from pathlib import Path

from factory.files import write_whole

#: For each entry that a run used, one that it did not use is kept: of another target, or another branch.
KEPT_UNUSED = 1.0


def fingerprint(text: str) -> str:
    """Return the fingerprint of what a finding depends on, this code and sqlglot's included."""
    digest = hashlib.blake2b(engine().encode(), digest_size=16)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@functools.cache
def engine() -> str:
    """Return what tells this reader of SQL from others: the version of sqlglot and the text of these modules."""
    digest = hashlib.blake2b(version("sqlglot").encode(), digest_size=16)
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()


class Cache:
    """Findings by fingerprint. Without a file, or where it cannot be read or written, nothing is kept."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._before: dict[str, bytes] = {}
        self._used: dict[str, bytes] = {}
        self._changed = False
        if file is not None:
            with contextlib.suppress(OSError):
                for line in file.read_bytes().split(b"\n"):
                    key, _, rest = line.partition(b" ")
                    if rest:
                        self._before[key.decode("ascii", "replace")] = rest

    def get(self, key: str) -> str | None:
        """Return what was kept, if it is whole."""
        line = self._used.get(key) or self._before.get(key)
        if line is None:
            return None
        digest, _, text = line.partition(b" ")
        if digest != _digest(text):
            return None
        self._used[key] = line
        return text.decode()

    def put(self, key: str, text: str) -> None:
        """Keep a finding: text without line breaks."""
        data = text.encode("utf-8", "surrogatepass")
        self._used[key] = _digest(data) + b" " + data
        self._changed = True

    def save(self) -> None:
        """Write the file, if there is anything new."""
        if self._file is None or not self._changed:
            return
        unused = [(key, line) for key, line in self._before.items() if key not in self._used]
        kept = dict(unused[-int(len(self._used) * KEPT_UNUSED) :] if self._used else ())
        lines = [key.encode() + b" " + line for key, line in {**kept, **self._used}.items()]
        with contextlib.suppress(OSError):
            write_whole(self._file, b"\n".join(lines) + b"\n", durable=False)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).hexdigest().encode()
