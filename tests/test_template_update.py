"""The template grows, and products follow without losing a hand edit."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from conftest import FULL, Command
from mesh import make_mesh
from stamping import bare_copier, commit, git, stamped_workspace

from factory.git import GitError
from factory.git import git as our_git
from factory.scaffold import stamp_product, template_update
from factory.workspace import find_workspace

PRODUCT = "templates/product"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text, f"{file}: {old}"
    file.write_text(text.replace(old, new), "utf-8")


def second_version(root: Path) -> None:
    """A line changes, a file is new, another goes."""
    edit(root / PRODUCT / "docs/runbook.md.jinja", "# Runbook", "# Runbook of [[ name ]]")
    (root / PRODUCT / "docs/faq.md.jinja").write_text("# Questions about [[ name ]]\n", "utf-8")
    (root / PRODUCT / "notify.yml.jinja").unlink()
    commit(root, "Second version", "v1.1.0")


def third_version(root: Path) -> None:
    """An answer has another name, and a question is new."""
    questions = root / "copier.yml"
    edit(questions, "cost_center", "billing_code")
    edit(questions, "default: CC-0000", "default: \"[[ cost_center | default('CC-0000') ]]\"")
    edit(
        questions,
        "schedule:\n  type: str",
        "tier:\n  type: str\n  help: Tier?\n  default: bronze\n\nschedule:\n  type: str",
    )
    for name in ("product.odps.yaml.jinja", "docs/canvas.md.jinja"):
        edit(root / PRODUCT / name, "cost_center", "billing_code")
    with (root / PRODUCT / "product.odps.yaml.jinja").open("a", encoding="utf-8") as file:
        file.write("  - {property: tier, value: [[ tier ]]}\n")
    commit(root, "Third version", "v1.2.0")


def fourth_version(root: Path) -> None:
    """A file has another place."""
    git(root, "mv", f"{PRODUCT}/docs/glossary.md.jinja", f"{PRODUCT}/docs/words.md.jinja")
    commit(root, "Fourth version", "v2.0.0")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace whose product `orders` was stamped from v1.0.0."""
    root = stamped_workspace(tmp_path / "mesh")
    stamp_product(find_workspace(root), "orders", {"cost_center": "CC-0815"})
    commit(root, "Orders")
    return root


def standing(factory: Command, root: Path, name: str = "orders") -> dict[str, Any]:
    result = factory("-C", root, "template", "status", name, "--format", "json")
    assert result.code == 0, result.err
    (one,) = result.json["products"]
    schema = json.loads(
        (Path(__file__).parents[1] / "factory/schemas/template.schema.json").read_text("utf-8")
    )
    jsonschema.validate(result.json, schema)
    return one


def test_a_fresh_product_is_current_and_unchanged(root: Path, factory: Command) -> None:
    one = standing(factory, root)
    assert (one["state"], one["version"], one["latest"], one["versions_behind"]) == (
        "current",
        "v1.0.0",
        "v1.0.0",
        0,
    )
    assert one["changed"] == one["touches"] == one["conflicts"] == []


def test_products_follow_over_several_versions_and_edits_stay(root: Path, factory: Command) -> None:
    orders = root / "products/orders"
    with (orders / "docs/glossary.md").open("a", encoding="utf-8") as file:
        file.write("- **Ours**: a word of ours.\n")
    edit(orders / "docs/runbook.md", "**Rejected rows** wait", "**Rejected rows**, mind you, wait")
    (orders / "docs/note.md").write_text("Our own file.\n", "utf-8")
    (orders / "docs/canvas.md").unlink()
    commit(root, "Edits")
    for step in (second_version, third_version, fourth_version):
        step(root)
    one = standing(factory, root)
    assert (one["state"], one["versions_behind"], one["latest"]) == ("behind", 3, "v2.0.0")
    assert one["changed"] == ["docs/canvas.md", "docs/glossary.md", "docs/runbook.md"]
    touched = [
        ".copier-answers.yml", "docs/faq.md", "docs/glossary.md", "docs/runbook.md", "docs/words.md", "notify.yml",
        "product.odps.yaml",
    ]  # fmt: skip
    assert one["touches"] == touched
    assert git(root, "status", "--porcelain") == ""
    result = factory("-C", root, "template", "update", "orders")
    assert (result.code, "✓  orders  v1.0.0 → v2.0.0, 7 files" in result.out) == (0, True)
    changed = git(root, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert sorted(line[3:].removeprefix("products/orders/") for line in changed) == touched
    assert "a word of ours" in (orders / "docs/words.md").read_text("utf-8")
    assert not (orders / "docs/glossary.md").exists() and not (orders / "notify.yml").exists()
    runbook = (orders / "docs/runbook.md").read_text("utf-8")
    assert runbook.startswith("# Runbook of orders\n") and "mind you, wait" in runbook
    assert not (orders / "docs/canvas.md").exists(), "what a person removed comes back"
    assert (orders / "docs/faq.md").read_text("utf-8") == "# Questions about orders\n"
    answers = yaml.safe_load((orders / ".copier-answers.yml").read_text("utf-8"))
    assert (answers["billing_code"], answers["tier"], answers["_commit"]) == ("CC-0815", "bronze", "v2.0.0")
    assert "cost_center" not in answers
    custom = yaml.safe_load((orders / "product.odps.yaml").read_text("utf-8"))["customProperties"]
    assert {entry["property"]: entry["value"] for entry in custom}["costCenter"] == "CC-0815"
    commit(root, "Updated")
    assert standing(factory, root)["state"] == "current"
    again = factory("-C", root, "template", "update", "--all")
    assert (again.code, again.out) == (0, "=  orders  current\n")
    assert factory("-C", root, "check").code == 0


def test_version_by_version_comes_to_the_same_as_all_at_once(root: Path, factory: Command) -> None:
    stamp_product(find_workspace(root), "sales", {"cost_center": "CC-0815"})
    commit(root, "Sales")
    for step in (second_version, third_version, fourth_version):
        step(root)
        assert factory("-C", root, "template", "update", "orders").code == 0
        commit(root, "Step")
    assert factory("-C", root, "template", "update", "sales").code == 0

    def files(name: str) -> dict[str, str]:
        folder = root / "products" / name
        return {
            f.relative_to(folder).as_posix().replace(name, "N"): f.read_text("utf-8")
            .replace(name, "N")
            .replace(name.capitalize(), "N")
            for f in folder.rglob("*")
            if f.is_file()
        }

    assert files("orders") == files("sales")


def test_copier_itself_updates_at_the_root(root: Path) -> None:
    orders = root / "products/orders"
    edit(orders / "docs/runbook.md", "**Rejected rows** wait", "**Rejected rows**, mind you, wait")
    commit(root, "Edit")
    second_version(root)
    third_version(root)
    done = bare_copier(root, "update", "products/orders", "--defaults")
    assert done.returncode == 0, done.stderr
    runbook = (orders / "docs/runbook.md").read_text("utf-8")
    assert runbook.startswith("# Runbook of orders\n") and "mind you, wait" in runbook
    answers = yaml.safe_load((orders / ".copier-answers.yml").read_text("utf-8"))
    assert (answers["billing_code"], answers["tier"], answers["_commit"]) == ("CC-0815", "bronze", "v1.2.0")


def test_copier_itself_marks_conflicts(root: Path) -> None:
    edit(root / "products/orders/docs/runbook.md", "# Runbook", "# What to do")
    commit(root, "Edit")
    second_version(root)
    assert bare_copier(root, "update", "products/orders", "--defaults").returncode == 0
    text = (root / "products/orders/docs/runbook.md").read_text("utf-8")
    assert "<<<<<<<" in text and "# What to do" in text and "# Runbook of orders" in text


def conflict_of_lines(root: Path) -> None:
    edit(root / "products/orders/docs/runbook.md", "# Runbook", "# What to do")


def conflict_of_removal(root: Path) -> None:
    edit(root / "products/orders/notify.yml", "PT1H", "PT2H")


def conflict_of_addition(root: Path) -> None:
    (root / "products/orders/docs/faq.md").write_text("# Our questions\n", "utf-8")


@pytest.mark.parametrize(
    ("change", "file", "why", "marked"),
    [
        (conflict_of_lines, "docs/runbook.md", "both changed the same lines", True),
        (
            conflict_of_removal,
            "notify.yml",
            "one changed it, the other removed it; keep it or remove it",
            False,
        ),
        (conflict_of_addition, "docs/faq.md", "both changed the same lines", True),
    ],
)
def test_a_conflict_is_told_and_marked_and_nothing_is_lost(
    change: Callable[[Path], None], file: str, why: str, marked: bool, root: Path, factory: Command
) -> None:
    change(root)
    commit(root, "Edit")
    mine = (root / "products/orders" / file).read_text("utf-8")
    second_version(root)
    assert standing(factory, root)["conflicts"] == [{"file": file, "reason": why}]
    result = factory("-C", root, "template", "update", "orders")
    assert result.code == 1
    assert f"conflict: products/orders/{file}: {why}" in result.out
    text = (root / "products/orders" / file).read_text("utf-8")
    if marked:
        assert "<<<<<<< yours\n" in text and ">>>>>>> template-v1.1.0\n" in text
        assert mine.splitlines()[0] in text
    else:
        assert text == mine
    assert (
        yaml.safe_load((root / "products/orders/.copier-answers.yml").read_text("utf-8"))["_commit"]
        == "v1.1.0"
    )


def test_git_as_a_user_has_set_it_up_changes_nothing(root: Path, factory: Command) -> None:
    conflict_of_lines(root)
    for key, value in (
        ("merge.conflictStyle", "diff3"),
        ("core.autocrlf", "true"),
        ("commit.gpgSign", "true"),
    ):
        our_git("config", "--global", key, value, cwd=root)
    git(root, "config", "core.autocrlf", "false")
    git(root, "-c", "commit.gpgSign=false", "commit", "-qam", "Edit")
    edit(root / PRODUCT / "docs/runbook.md.jinja", "# Runbook", "# Runbook of [[ name ]]")
    git(root, "-c", "commit.gpgSign=false", "commit", "-qam", "Second")
    git(root, "tag", "v1.1.0")
    assert factory("-C", root, "template", "update", "orders").code == 1
    data = (root / "products/orders/docs/runbook.md").read_bytes()
    assert b"\r" not in data and b"|||||||" not in data and b"<<<<<<< yours" in data


def test_what_a_product_keeps_to_itself_is_left_alone(root: Path, factory: Command) -> None:
    conflict_of_lines(root)
    (root / "products/orders/.template-keep").write_text("# ours\ndocs/runbook.md\n*/faq.md\n", "utf-8")
    commit(root, "Keep")
    second_version(root)
    one = standing(factory, root)
    assert (one["conflicts"], one["kept"], one["touches"]) == (
        [],
        ["docs/faq.md", "docs/runbook.md"],
        [".copier-answers.yml", "notify.yml"],
    )
    assert factory("-C", root, "template", "update", "orders").code == 0
    assert (root / "products/orders/docs/runbook.md").read_text("utf-8").startswith("# What to do\n")


def test_uncommitted_changes_are_refused_and_others_do_not_matter(root: Path, factory: Command) -> None:
    second_version(root)
    (root / "README.md").write_text("Changed elsewhere.\n", "utf-8")
    (root / "products/orders/docs/new.md").write_text("Not committed.\n", "utf-8")
    for arguments in (("orders",), ("--all",)):
        result = factory("-C", root, "template", "update", *arguments)
        assert result.code == 2
        assert "orders has uncommitted changes (new.md)" in result.err
    (root / "products/orders/docs/new.md").unlink()
    edit(root / "products/orders/docs/runbook.md", "# Runbook", "# What to do")
    assert (
        "orders has uncommitted changes (runbook.md)"
        in factory("-C", root, "template", "update", "orders").err
    )
    git(root, "checkout", "products")
    assert factory("-C", root, "template", "update", "products/orders/").code == 0


def test_only_versions_that_changed_the_template_count(root: Path, factory: Command) -> None:
    (root / "README.md").write_text("Another release of the mesh.\n", "utf-8")
    commit(root, "Release", "v1.0.1")
    one = standing(factory, root)
    assert (one["state"], one["versions_behind"], one["latest"]) == ("current", 0, "v1.0.1")
    second_version(root)
    commit(root, "Only the mesh", "v1.1.1")
    commit(root, "A preview", "v3.0.0rc1")
    git(root, "tag", "not-a-version")
    one = standing(factory, root)
    assert (one["versions_behind"], one["latest"]) == (1, "v1.1.1")


def test_without_tags_commits_are_versions(tmp_path: Path, factory: Command) -> None:
    root = stamped_workspace(tmp_path / "mesh", tag="")
    stamp_product(find_workspace(root), "orders", {})
    commit(root, "Orders")
    assert standing(factory, root)["state"] == "current"
    for text in ("# One\n", "# Two\n"):
        (root / PRODUCT / "docs/faq.md.jinja").write_text(text, "utf-8")
        commit(root, text)
    assert standing(factory, root)["versions_behind"] == 2
    assert factory("-C", root, "template", "update", "orders").code == 0
    commit(root, "Updated")
    assert standing(factory, root)["state"] == "current"
    git(root, "tag", "v1.0.0")
    assert standing(factory, root)["state"] == "current"


def test_a_version_is_found_again_after_its_commit_is_gone(tmp_path: Path, factory: Command) -> None:
    root = stamped_workspace(tmp_path / "mesh", tag="")
    stamp_product(find_workspace(root), "orders", {})
    commit(root, "Orders")
    git(root, "checkout", "--quiet", "--orphan", "squashed")
    commit(root, "All in one")
    git(root, "branch", "-D", "main")
    git(root, "reflog", "expire", "--expire=now", "--all")
    git(root, "gc", "--quiet", "--prune=now")
    assert standing(factory, root)["state"] == "current"
    second_version(root)
    assert factory("-C", root, "template", "update", "orders").code == 0
    assert (root / "products/orders/docs/faq.md").is_file()


def test_a_product_from_after_the_newest_tag_is_ahead(root: Path, factory: Command) -> None:
    (root / PRODUCT / "docs/faq.md.jinja").write_text("# Soon\n", "utf-8")
    commit(root, "Not tagged")
    file = root / "products/orders/.copier-answers.yml"
    text = re.sub("_tree: .*\n", "", file.read_text("utf-8"))
    file.write_text(
        text.replace("_commit: v1.0.0", f"_commit: {git(root, 'describe', '--tags').strip()}"), "utf-8"
    )
    commit(root, "Ahead")
    assert standing(factory, root)["state"] == "ahead"
    assert factory("-C", root, "template", "update", "--all").out == "=  orders  ahead\n"


def test_what_cannot_be_found_is_said(root: Path, factory: Command) -> None:
    file = root / "products/orders/.copier-answers.yml"
    text = file.read_text("utf-8")
    cases = {
        re.sub("_tree: .*", "", text).replace("_commit: v1.0.0", "_commit: deadbeef"): (
            "lost",
            "does not know the version deadbeef",
        ),
        text.replace("_commit: v1.0.0\n", ""): ("unmanaged", "names no version of a template"),
        text.replace("_src_path: .", "_src_path: /nowhere/at/all"): (
            "lost",
            "no template at '/nowhere/at/all'",
        ),
        re.sub("_tree: .*", "", text).replace("_commit: v1.0.0", "_commit: --upload-pack=evil"): (
            "lost",
            "does not know the version",
        ),
    }
    for changed, (state, why) in cases.items():
        file.write_text(changed, "utf-8")
        commit(root, "Changed")
        one = standing(factory, root)
        assert (one["state"], why in one["reason"]) == (state, True), one
        assert factory("-C", root, "template", "update", "orders").code == 1
        assert factory("-C", root, "template", "update", "--all").code == (1 if state == "lost" else 0)
    file.write_text("- no answers\n", "utf-8")
    commit(root, "Broken")
    broken = factory("-C", root, "template", "status")
    assert (broken.code, "the file holds no answers" in broken.err) == (2, True)
    unknown = factory("-C", root, "template", "update", "nobody")
    assert (unknown.code, "there is no product 'nobody'" in unknown.err) == (2, True)
    assert "name products, or --all" in factory("-C", root, "template", "update").err


def test_a_product_with_a_wrong_answer_is_stuck_and_the_others_follow(root: Path, factory: Command) -> None:
    stamp_product(find_workspace(root), "sales", {})
    commit(root, "Sales")
    second_version(root)
    edit(root / "products/orders/.copier-answers.yml", "domain: example", "domain: 'Not A Domain'")
    commit(root, "Broken answer")
    one = standing(factory, root)
    assert (one["state"], "domain: the domain may hold" in one["reason"]) == ("stuck", True)
    result = factory("-C", root, "template", "update", "--all")
    assert result.code == 1
    assert "-  orders  stuck: " in result.out and "✓  sales" in result.out
    assert not (root / "products/orders/docs/faq.md").exists()


def test_a_new_question_without_a_default_is_answered_on_the_way(root: Path, factory: Command) -> None:
    edit(
        root / "copier.yml",
        "schedule:\n  type: str",
        "steward:\n  type: str\n  help: Who?\n\nschedule:\n  type: str",
    )
    with (root / PRODUCT / "docs/runbook.md.jinja").open("a", encoding="utf-8") as file:
        file.write("Steward: [[ steward ]]\n")
    commit(root, "A question", "v1.1.0")
    assert standing(factory, root)["state"] == "stuck"
    result = factory("-C", root, "template", "update", "orders", "-d", "steward=Sue")
    assert (result.code, "new question steward: 'Sue'" in result.out) == (0, True)
    assert "Steward: Sue\n" in (root / "products/orders/docs/runbook.md").read_text("utf-8")


def test_without_git_there_is_no_update(tmp_path: Path, factory: Command) -> None:
    assert factory("init", tmp_path / "mesh").code == 0
    assert factory("-C", tmp_path / "mesh", "new", "orders", "--defaults").code == 0
    assert standing(factory, tmp_path / "mesh")["state"] == "unmanaged"
    result = factory("-C", tmp_path / "mesh", "template", "update", "--all")
    assert (result.code, "an update needs git" in result.err) == (2, True)


def test_an_executable_stays_one_and_an_empty_folder_goes(root: Path, factory: Command) -> None:
    tools = root / PRODUCT / "tools"
    tools.mkdir()
    (tools / "run.sh").write_text("#!/bin/sh\n", "utf-8")
    (tools / "run.sh").chmod(0o755)
    commit(root, "A tool", "v1.1.0")
    assert factory("-C", root, "template", "update", "--all").code == 0
    assert os.access(root / "products/orders/tools/run.sh", os.X_OK)
    commit(root, "Updated")
    git(root, "rm", "-rq", f"{PRODUCT}/tools")
    commit(root, "No tool", "v1.2.0")
    assert factory("-C", root, "template", "update", "--all").code == 0
    assert not (root / "products/orders/tools").exists()


def test_a_killed_update_says_of_each_product_whether_it_is_done(root: Path) -> None:
    ws = find_workspace(root)
    names = [f"p{number}" for number in range(40 if FULL else 8)]
    for name in names:
        stamp_product(ws, name, {})
    for number in range(200):  # so that writing takes a while
        (root / PRODUCT / f"docs/page_{number}.md.jinja").write_text(
            f"# Page {number} of [[ name ]]\n", "utf-8"
        )
    commit(root, "Products")
    second_version(root)
    killed = 0
    for _ in range(3):
        command = [sys.executable, "-m", "factory", "-C", str(root), "template", "update", "--all"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        first = root / "products/orders/docs/page_0.md"
        while process.poll() is None and not first.exists():
            time.sleep(0.001)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
        for folder in (root / "products").glob("*/"):
            answers = yaml.safe_load((folder / ".copier-answers.yml").read_text("utf-8"))
            pages = len(list((folder / "docs").glob("page_*.md")))
            assert answers["_commit"] == "v1.0.0" or pages == 200, folder
        git(root, "checkout", "--quiet", ".")
        git(root, "clean", "-fdq", "products")
    assert killed
    done = template_update(ws)
    assert {one.state for one in done} == {"updated"}
    assert all((root / f"products/{name}/docs/faq.md").is_file() for name in names)


# What lies in the way.


def test_nothing_is_written_over_what_git_does_not_know(root: Path, factory: Command, tmp_path: Path) -> None:
    orders = root / "products/orders"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "link.md").write_text("precious", "utf-8")
    (orders / ".gitignore").write_text("ignored.md\n", "utf-8")
    (orders / "linked").symlink_to(outside, target_is_directory=True)
    (orders / "alias.md").symlink_to(outside / "link.md")
    (orders / "large.md").write_text("x" * 2_000_000, "utf-8")
    commit(root, "Odd things")
    (orders / "ignored.md").write_text("mine", "utf-8")
    for name in ("ignored.md", "linked/link.md", "alias.md", "large.md", "fine.md"):
        file = root / PRODUCT / f"{name}.jinja"
        file.parent.mkdir(exist_ok=True)
        file.write_text("# From the template\n", "utf-8")
    commit(root, "In the way", "v1.1.0")
    result = factory("-C", root, "template", "update", "orders")
    assert result.code == 1
    assert (orders / "ignored.md").read_text("utf-8") == "mine"
    assert (outside / "link.md").read_text("utf-8") == "precious"
    assert (orders / "alias.md").is_symlink() and (orders / "linked").is_symlink()
    assert "x" * 1000 in (orders / "large.md").read_text("utf-8")
    assert (orders / "fine.md").is_file()
    for name in ("ignored.md", "linked/link.md", "alias.md", "large.md"):
        assert f"conflict: products/orders/{name}: " in result.out


def test_a_folder_may_become_a_file_and_a_file_a_folder(root: Path, factory: Command) -> None:
    (root / PRODUCT / "tools").mkdir()
    (root / PRODUCT / "tools/one.md").write_text("one\n", "utf-8")
    (root / PRODUCT / "extra").write_text("extra\n", "utf-8")
    commit(root, "A folder", "v1.1.0")
    assert factory("-C", root, "template", "update", "orders").code == 0
    commit(root, "Updated")
    git(root, "rm", "-rq", f"{PRODUCT}/tools", f"{PRODUCT}/extra")
    (root / PRODUCT / "tools").write_text("tools\n", "utf-8")
    (root / PRODUCT / "extra").mkdir()
    (root / PRODUCT / "extra/two.md").write_text("two\n", "utf-8")
    commit(root, "Turned round", "v1.2.0")
    assert factory("-C", root, "template", "update", "orders").code == 0
    assert (root / "products/orders/tools").read_text("utf-8") == "tools\n"
    assert (root / "products/orders/extra/two.md").is_file()


def test_a_file_that_a_person_moved_is_followed(root: Path, factory: Command) -> None:
    git(root, "mv", "products/orders/docs/runbook.md", "products/orders/docs/what to do.md")
    git(root, "rm", "-q", "products/orders/notify.yml", "products/orders/docs/overview.md")
    commit(root, "Moved")
    second_version(root)
    edit(root / PRODUCT / "docs/overview.md.jinja", "**Limits.**", "**Its limits.**")
    commit(root, "Third", "v1.2.0")
    result = factory("-C", root, "template", "update", "orders")
    assert result.code == 0
    assert (
        (root / "products/orders/docs/what to do.md").read_text("utf-8").startswith("# Runbook of orders\n")
    )
    assert "though the template changed it: docs/overview.md" in " ".join(result.out.split())


def test_names_and_contents_may_be_odd(root: Path, factory: Command) -> None:
    orders = root / "products/orders"
    for name in ("a b.md", 'quo"te.md', "back\\slash.md", "new\nline.md", "größe.md", "ret\r.md"):
        (orders / name).write_text("mine\n", "utf-8")
    (orders / "image.png").write_bytes(b"\x89PNG\0\1")
    commit(root, "Odd")
    (root / PRODUCT / "größe und mehr.md").write_text("# Größe\n", "utf-8")
    (root / PRODUCT / "image.png").write_bytes(b"\x89PNG\0\2")
    (root / PRODUCT / "empty.txt").touch()
    commit(root, "Odd, too", "v1.1.0")
    one = standing(factory, root)
    assert one["conflicts"] == [
        {"file": "image.png", "reason": "both changed it, and it is not text; yours stays"}
    ]
    result = factory("-C", root, "template", "update", "orders")
    assert (result.code, "Decide, then build" in result.out) == (1, True)
    assert (orders / "image.png").read_bytes() == b"\x89PNG\0\1"
    assert (orders / "größe und mehr.md").read_text("utf-8") == "# Größe\n"
    assert (orders / "empty.txt").read_bytes() == b""


def test_line_ends_of_a_checkout_are_no_change(root: Path, factory: Command, tmp_path: Path) -> None:
    git(root, "clone", "--quiet", "-c", "core.autocrlf=true", str(root), str(tmp_path / "windows"))
    clone = tmp_path / "windows"
    assert b"\r\n" in (clone / "products/orders/docs/runbook.md").read_bytes()
    assert standing(factory, clone)["changed"] == []
    second_version(root)
    git(clone, "pull", "--quiet", "--tags")
    assert factory("-C", clone, "template", "update", "orders").code == 0
    data = (clone / "products/orders/docs/runbook.md").read_bytes()
    assert data.startswith(b"# Runbook of orders\r\n") and data.count(b"\n") == data.count(b"\r\n")


def test_attributes_of_a_repository_take_nothing_out_of_the_template(root: Path, factory: Command) -> None:
    (root / ".gitattributes").write_text("*.jinja export-ignore\n.github export-ignore\n", "utf-8")
    (root / PRODUCT / "docs/faq.md.jinja").write_text("# $Format:%H$\n", "utf-8")
    commit(root, "Attributes", "v1.1.0")
    assert standing(factory, root)["touches"] == [".copier-answers.yml", "docs/faq.md"]
    assert factory("-C", root, "template", "update", "orders").code == 0
    assert (root / "products/orders/docs/faq.md").read_text("utf-8") == "# $Format:%H$\n"


def test_a_link_in_a_template_is_refused(root: Path, factory: Command) -> None:
    (root / PRODUCT / "passwords").symlink_to("/etc/passwd")
    commit(root, "A link", "v1.1.0")
    for arguments in (("template", "status"), ("new", "sales", "--defaults")):
        result = factory("-C", root, *arguments)
        assert (result.code, "holds a symbolic link" in result.err) == (2, True)


# Which version is which.


def test_versions_are_ordered_as_versions(root: Path, factory: Command) -> None:
    for number, tag in enumerate(("v1.9.0", "v1.10.0", "v1.2.0")):
        (root / PRODUCT / "docs/faq.md.jinja").write_text(f"# {number}\n", "utf-8")
        commit(root, tag)
        git(root, "tag", "-a", tag, "-m", "annotated")
    one = standing(factory, root)
    assert (one["latest"], one["versions_behind"]) == ("v1.10.0", 3)
    assert factory("-C", root, "template", "update", "orders").code == 0
    assert (root / "products/orders/docs/faq.md").read_text("utf-8") == "# 1\n"


def test_a_tag_that_was_moved_is_another_version(root: Path, factory: Command) -> None:
    edit(root / PRODUCT / "docs/runbook.md.jinja", "# Runbook", "# Mended runbook")
    commit(root, "Mended")
    git(root, "tag", "--force", "v1.0.0")
    one = standing(factory, root)
    assert (one["state"], one["versions_behind"], one["changed"]) == ("behind", 1, [])
    assert factory("-C", root, "template", "update", "orders").code == 0
    assert (root / "products/orders/docs/runbook.md").read_text("utf-8").startswith("# Mended runbook")


def test_two_templates_of_one_version_are_not_confused(root: Path, factory: Command, tmp_path: Path) -> None:
    other = stamped_workspace(tmp_path / "other")
    stamp_product(find_workspace(root), "sales", {})
    file = root / "products/sales/.copier-answers.yml"
    edit(file, "_src_path: .", f"_src_path: {other}")
    commit(root, "Sales follows another template")
    for folder, text in ((root, "mine"), (other, "theirs")):
        (folder / PRODUCT / "docs/faq.md.jinja").write_text(f"# {text}\n", "utf-8")
        commit(folder, "Second", "v1.1.0")
    assert factory("-C", root, "template", "update", "--all").code == 0
    assert (root / "products/orders/docs/faq.md").read_text("utf-8") == "# mine\n"
    assert (root / "products/sales/docs/faq.md").read_text("utf-8") == "# theirs\n"


def test_a_template_may_move_to_another_folder(root: Path, factory: Command) -> None:
    git(root, "mv", PRODUCT, "stamp")
    for file in (root / "stamp").rglob("*"):
        if file.is_file() and "templates/product/_parts" in file.read_text("utf-8"):
            edit(file, "templates/product/_parts", "stamp/_parts")
    edit(root / "copier.yml", "_subdirectory: templates/product", "_subdirectory: stamp")
    (root / "stamp/docs/faq.md.jinja").write_text("# Questions\n", "utf-8")
    commit(root, "Moved", "v1.1.0")
    one = standing(factory, root)
    assert (one["versions_behind"], one["touches"]) == (1, [".copier-answers.yml", "docs/faq.md"])


def test_a_repository_of_somebody_else_is_named(
    root: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    result = factory("-C", root, "template", "update", "orders")
    assert (result.code, "dubious ownership" in result.err) == (2, True)


def test_an_old_git_is_named(
    root: Path, factory: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    second_version(root)
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    old = tmp_path / "bin/git"
    old.parent.mkdir()
    old.write_text(
        f'#!/bin/sh\nfor a in "$@"; do [ "$a" = merge-tree ] && echo "usage: git merge-tree" >&2 && exit 129; done\nexec {real} "$@"\n',
        "utf-8",
    )
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    result = factory("-C", root, "template", "update", "orders")
    assert (result.code, "git 2.38 or newer" in result.err) == (2, True)


def test_without_git_on_the_machine_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not there"):
        our_git("status", cwd=tmp_path)


# Products that were there before the template.


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """A workspace with a template and three products that were written by hand."""
    root = stamped_workspace(tmp_path / "mesh")
    settings = (root / "pyproject.toml").read_text("utf-8")
    make_mesh(root)
    (root / "pyproject.toml").write_text(settings, "utf-8")
    commit(root, "Written by hand")
    return root


def test_a_product_that_was_written_by_hand_can_be_adopted(grown: Path, factory: Command) -> None:
    assert standing(factory, grown, "shop")["state"] == "unmanaged"
    before = {f: f.read_bytes() for f in (grown / "products").rglob("*") if f.is_file()}
    result = factory("-C", grown, "template", "adopt", "shop", "sales", "board")
    assert result.code == 0, result.err
    after = {f: f.read_bytes() for f in (grown / "products").rglob("*") if f.is_file()}
    assert {f: after.get(f) for f in before} == before
    assert {f.name for f in after.keys() - before.keys() if "dbt_packages" not in f.parts} == {
        ".copier-answers.yml",
        ".template-keep",
    }
    shop, sales, board = (
        yaml.safe_load((grown / f"products/{name}/.copier-answers.yml").read_text("utf-8"))
        for name in ("shop", "sales", "board")
    )
    assert (shop["archetype"], shop["source_kind"], shop["cost_center"]) == (
        "source-aligned",
        "events",
        "CC-1",
    )
    assert (shop["owner"], shop["team"]) == ("shop-owner@example.org", "shop-team")
    assert (sales["inputs"], board["inputs"]) == (["shop.shop.orders"], ["sales.sales"])
    commit(grown, "Adopted")
    assert {standing(factory, grown, name)["state"] for name in ("shop", "sales", "board")} == {"current"}
    assert "follows a template already" in factory("-C", grown, "template", "adopt", "shop").err
    second_version(grown)
    edit(grown / PRODUCT / "dbt_project.yml.jinja", "version: 1.0.0", "version: 1.1.0")
    commit(grown, "Its own files", "v1.2.0")
    update = factory("-C", grown, "template", "update", "--all")
    assert update.code == 0, update.out
    assert (grown / "products/shop/docs/faq.md").is_file()
    for file, content in before.items():
        assert file.read_bytes() == content, file
    assert factory("-C", grown, "check").code == 0


def test_adopting_needs_a_version_and_a_product(tmp_path: Path, grown: Path, factory: Command) -> None:
    assert "there is no product 'nobody'" in factory("-C", grown, "template", "adopt", "nobody").err
    bare = make_mesh(tmp_path / "bare")
    result = factory("-C", bare, "template", "adopt", "shop")
    assert (result.code, "the template has no version to start from" in result.err) == (2, True)
    answers = tmp_path / "answers.yml"
    answers.write_text("source_kind: entities\n", "utf-8")
    assert (
        factory("-C", grown, "template", "adopt", "shop", "--data-file", answers, "--format", "json").code
        == 0
    )
    assert "source_kind: entities" in (grown / "products/shop/.copier-answers.yml").read_text("utf-8")
    assert factory("-C", grown, "template", "adopt", "shop", "--anew").code == 0


def test_a_product_from_before_git_is_adopted_with_its_answers(tmp_path: Path, factory: Command) -> None:
    root = tmp_path / "mesh"
    assert factory("init", root).code == 0
    assert factory("-C", root, "new", "orders", "--defaults", "-d", "personal_data=yes").code == 0
    git(root, "init", "--quiet")
    commit(root, "A mesh", "v1.0.0")
    assert factory("-C", root, "template", "adopt", "orders").code == 0
    assert not (root / "products/orders/.template-keep").exists()
    commit(root, "Adopted")
    one = standing(factory, root)
    assert (one["state"], one["changed"]) == ("current", [])
