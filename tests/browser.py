"""A real browser, headless: what a page holds when its scripts have run, and what it looks like."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0",
)  # fmt: skip


def look(url: str, profile: Path, *options: str) -> tuple[str, str]:
    """Open a page; return its DOM after its scripts have run, and the browser's log."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert program, "the tests look at pages in a real browser: install chromium (.ci/run does)"
    done = subprocess.run(
        [
            program,
            *OPTIONS,
            f"--user-data-dir={profile}",
            "--virtual-time-budget=20000",
            *options,
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout, done.stderr
