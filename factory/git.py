"""The only door to git.

Takes arguments of git and a folder; gives what git printed; touches what the arguments say.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from factory.errors import FactoryError

# A hook of git runs us with these set; they would turn every call to the hook's repository.
_OF_HOOKS = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
}  # fmt: skip


class GitError(FactoryError):
    """git is not there, or refused."""


def git(
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    accept: tuple[int, ...] = (0,),
) -> bytes:
    """Run git in a folder and return what it printed.

    `accept` are the exit codes that are no failure. Raises:
        GitError: git is not installed, or failed.

    """
    inherited = {key: value for key, value in os.environ.items() if key not in _OF_HOOKS}
    # Its messages are read here, and nobody sits at a terminal to be asked for a password.
    inherited |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(environment or {})}
    command = ["git", *arguments]
    try:
        done = subprocess.run(  # noqa: S603  (no shell; the arguments are ours)
            command, cwd=cwd, env=inherited, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise GitError("git is not there", hint="install git, 2.38 or newer") from error
    if done.returncode not in accept:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        reason = next(
            (line for line in text if line.startswith(("fatal:", "error:"))), text[-1] if text else ""
        )
        what = next(argument for argument in arguments if not argument.startswith("-"))
        raise GitError(f"git {what} failed: {reason or f'exit code {done.returncode}'}", where=cwd)
    return done.stdout


def lines(output: bytes) -> list[str]:
    """Split what git printed with `-z` (or by lines) into its parts."""
    separator = b"\0" if b"\0" in output else b"\n"
    return [part.decode(errors="surrogateescape") for part in output.split(separator) if part]


def is_installed() -> bool:
    """Say whether there is a git to run."""
    return shutil.which("git") is not None


def repository_of(folder: Path) -> Path | None:
    """Return the top folder of the git repository around a folder, or None where there is none, or no git.

    Raises:
        GitError: there is one, and git will not touch it: it belongs to somebody else, for example.

    """
    if not is_installed():
        return None
    try:
        found = git("rev-parse", "--show-toplevel", cwd=folder)
    except GitError as error:
        if "not a git repository" in error.message:
            return None
        raise
    return Path(os.fsdecode(found.rstrip(b"\n")))


def commit_of(revision: str, folder: Path) -> str:
    """Return the full commit id of a revision, or an empty string where the repository has no such commit."""
    if not revision or revision.startswith("-"):
        return ""
    try:
        found = git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", cwd=folder
        )
    except GitError:
        return ""
    return found.decode().strip()


def uncommitted(folder: Path) -> list[str]:
    """Return the files below a folder that differ from the last commit, new ones included."""
    output = git(
        "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", ".", cwd=folder
    )
    return [entry[3:] for entry in lines(output)]
