"""The documentation is held to the code: commands, policies, links and README agree.

`REWRITE_DOCS=1` writes docs/cli.md and docs/policies.md anew.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import click
import pytest

from factory.cli import cli
from factory.levels import ELEMENTS
from factory.odcs.compare import RULES
from factory.odcs.lint import CODES
from factory.policies import POLICIES
from factory.results import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_EXISTS,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    ProductOutcome,
)

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def held(file: Path, text: str) -> None:
    if os.environ.get("REWRITE_DOCS"):
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text, f"{file.name} is stale: REWRITE_DOCS=1 writes it"


def test_every_command_has_help_and_stands_in_the_readme() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        assert f"`factory {name}" in README, name


def test_the_command_reference_is_that_of_the_commands() -> None:
    text = "# Command line\n\nMade from `--help` by `tests/test_docs.py`.\n"
    groups = {name: command for name, command in cli.commands.items() if isinstance(command, click.Group)}
    commands = {
        **cli.commands,
        **{f"{g} {n}": c for g, group in groups.items() for n, c in group.commands.items()},
    }
    for name, command in [("", cli), *sorted(commands.items())]:
        context = click.Context(
            command,
            info_name=f"factory {name}".strip(),
            max_content_width=100,
            terminal_width=100,
            help_option_names=["-h", "--help"],
        )
        text += f"\n## factory {name}".rstrip() + f"\n\n```\n{command.get_help(context)}\n```\n"
    held(ROOT / "docs/cli.md", text)


def test_the_policy_page_is_that_of_the_policies() -> None:
    text = "# Policies\n\nWhat a product must be, in the order in which it is judged. Made from the docstrings by `tests/test_docs.py`.\n"
    for policy in POLICIES:
        text += f"\n## {policy.__name__}\n\n{inspect.getdoc(policy)}\n"
    held(ROOT / "docs/policies.md", text)


def test_the_contract_page_lists_every_code_and_every_rule() -> None:
    file = ROOT / "docs/contracts.md"
    codes = "".join(f"| `{code}` | {meaning} |\n" for code, meaning in CODES.items())
    rules = "".join(f"| `{rule}` | {severity} | {why} |\n" for rule, (severity, why) in RULES.items())
    tables = {
        "codes": "| code | what is wrong |\n| --- | --- |\n" + codes,
        "rules": "| change | severity | because |\n| --- | --- | --- |\n" + rules,
    }
    text = file.read_text("utf-8")
    for name, table in tables.items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, table=table: found[1] + table + found[2],
            text,
            flags=re.DOTALL,
        )
    held(file, text)


def test_the_quality_page_lists_every_element() -> None:
    file = ROOT / "docs/quality.md"
    rows = "".join(
        f"| {e.abbreviation} | {e.name} | {e.category} | {e.place} | {e.period} | {e.description} |\n"
        for e in ELEMENTS
    )
    table = (
        "| | element | category | group and order | period | |\n| --- | --- | --- | --- | --- | --- |\n"
        + rows
    )
    text = re.sub(
        r"(<!-- elements -->\n).*?(<!-- /elements -->)",
        lambda found: found[1] + table + found[2],
        file.read_text("utf-8"),
        flags=re.DOTALL,
    )
    held(file, text)


def test_the_readme_lists_the_exit_codes_and_outcomes() -> None:
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)]
    assert codes == [EXIT_DONE, EXIT_REFUSED, EXIT_INPUT, EXIT_BUG, EXIT_EXISTS, EXIT_INTERRUPTED]
    for outcome in ProductOutcome:
        assert f"**{outcome}**" in README


def test_the_readme_names_every_product() -> None:
    for folder in (ROOT / "products").iterdir():
        assert f"`{folder.name}`" in README


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_the_readme_commands_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w[\w-]*)$", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_nothing_committed_names_a_package_registry_or_a_path_of_a_machine() -> None:
    for file in [ROOT / "constraints.txt", ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / ".ci/run"]:
        assert not re.search(r"index-url|https?://(?!www\.apache)", file.read_text("utf-8")), file.name
