"""What can go wrong so that the factory cannot go on.

Takes a message, a place and a way out; gives an exception that the CLI, and nobody else, catches.
Bad data is never one of these: a failed check is a value (`CheckResult`, `Finding`).
"""

from __future__ import annotations

from pathlib import Path


class FactoryError(Exception):
    """The factory cannot go on, and the reader of this message can mend it.

    Attributes:
        message: what is wrong, one sentence.
        where: the file at fault, if there is one.
        line: the line in that file, from 1, or 0 where no line is known.
        hint: what to do next.
        column: the column in that line, from 1, or 0.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, where: Path | None = None, line: int = 0, hint: str = "", column: int = 0
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.line = line
        self.hint = hint
        self.column = column

    def place(self, root: Path | None = None) -> str:
        """Return `file:line`, relative to `root` where the file lies below it, or an empty string."""
        if self.where is None:
            return ""
        where = self.where
        if root is not None and where.is_absolute() and where.is_relative_to(root):
            where = where.relative_to(root)
        return f"{where.as_posix()}:{self.line}" if self.line else where.as_posix()


class Problems(FactoryError):
    """Several errors of the input, found in one go and told together."""

    def __init__(self, problems: tuple[FactoryError, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


class WorkspaceError(FactoryError):
    """There is no workspace here, or its settings are wrong."""


class DocumentError(FactoryError):
    """A YAML or JSON file cannot be read as one.

    `code` names the kind of fault, for programs: see docs/contracts.md.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        where: Path | None = None,
        line: int = 0,
        hint: str = "",
        column: int = 0,
    ) -> None:
        super().__init__(message, where=where, line=line, hint=hint, column=column)
        self.code = code


class EditError(FactoryError):
    """A file is written in a way that no program can change safely: it has to be edited by hand."""


class ProductError(FactoryError):
    """A product's folder or descriptor is not what a product needs."""


class ContractError(FactoryError):
    """A hand-kept contract cannot be understood."""


class DbtError(FactoryError):
    """dbt could not read or start the project (a failed model or test is a value instead)."""


class QualityError(FactoryError):
    """The tool that runs checks is broken (a failed check is a value instead)."""


class RegistryError(FactoryError):
    """The registry or the published ports cannot be read or written."""


class OutsideError(RegistryError):
    """A name, a path or a link that leads out of the folder that it belongs to."""


class PublishRefusedError(RegistryError):
    """A product cannot be published as it is: its own fault, and nobody else's."""

    exit_code = 1


class LeakError(PublishRefusedError):
    """What is about to be published holds a secret: nothing of the product is published."""


class UnreadablePortError(PublishRefusedError):
    """A product's public model cannot be read, though its checks held."""


class VersionExistsError(PublishRefusedError):
    """The version is published already, with other content."""

    exit_code = 4


class NameTakenError(VersionExistsError):
    """The product's name is not to be had: a removed product had it, or another one has it."""


class LockedError(FactoryError):
    """Another process holds what this one needs."""


def raise_all(problems: list[FactoryError]) -> None:
    """Raise one error for one problem, `Problems` for several, nothing for none."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise Problems(tuple(problems))
