"""Workspaces and products made from the template, for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from factory.scaffold import stamp_workspace

GIT = {
    **{
        f"GIT_{who}_{what}": "tester@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
    "GIT_CONFIG_NOSYSTEM": "1",
}

#: What no YAML, no Markdown, no SQL and no Jinja may stumble over.
AWKWARD: dict[str, Any] = {
    "title": 'It\'s "quoted": # {{ 7*7 }} [[ 7*7 ]] <b>π</b> 😀',
    "summary": (
        'A "quoted": summary # no comment, {{ 7*7 }} {% raw %} {# no #} [[ 7*7 ]] [% if x %] ${HOME} \\n 100 %\n\n'
        "- second: paragraph | with <script>alert(1)</script> --> and 😀\n\n```\nselect 1;\n```\n"
    ),
    "owner": 'O\'Brien "Ops" {{ owner }}',
    "team": "Équipe & Söhne: #1 {% team %}",
    "cost_center": "0012",
    "support_channel": '#help: "now" {{ x }}',
    "classification": "restricted",
    "personal_data": True,
    "schedule": "30 5 * * 1-5",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person would, away from the settings of whoever runs the tests."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **GIT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def commit(folder: Path, message: str = "change", tag: str = "") -> str:
    """Commit everything, tag it, and return the commit."""
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    if tag:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD").strip()


def stamped_workspace(folder: Path, tag: str = "v1.0.0") -> Path:
    """Stamp a workspace, commit and tag it."""
    stamp_workspace(folder, "Test mesh")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "A mesh", tag)
    return folder


def bare_copier(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Copier itself at the workspace's root, as somebody without the factory does."""
    return subprocess.run(
        [sys.executable, "-m", "copier", *arguments],
        cwd=root,
        env={**os.environ, **GIT},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def answers_file(folder: Path, answers: Mapping[str, Any]) -> Path:
    """Write answers as `--data-file` takes them."""
    file = folder / "answers.yml"
    file.write_text(yaml.safe_dump(dict(answers), allow_unicode=True), "utf-8")
    return file
