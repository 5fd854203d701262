"""Lint contracts: every fault that a file has by its own version of ODCS, and those that no schema can see.

Takes files; gives `LintFinding`s with file, line, column, code, message and hint.
"""

from factory.odcs.lint.codes import CODES
from factory.odcs.lint.linter import LintFinding, contract_faults, lint_file

__all__ = ["CODES", "LintFinding", "contract_faults", "lint_file"]
