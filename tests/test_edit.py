"""Edits of YAML: only what was asked for changes, however the file is written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import PROPERTY
from hypothesis import example, given
from hypothesis import strategies as st

from factory.contract import bumped, compare, severity_of
from factory.documents import dump_values, parse_yaml
from factory.errors import DocumentError, EditError
from factory.odcs.edit import with_item, with_value, without

CASES = Path(__file__).parent / "cases/contracts"
CONTRACT = """\
# The contract of orders.
apiVersion: v3.2.0
version: 1.0.0   # a published version never changes
description:
  usage: >-
    Folded
    text.

"status": 'active'
team:
  members:
  - username: "clint"
    role: dpo      # the owner
    dateIn: "2014-08-02"

  # who helps
  - {username: jane, role: steward}
tags: [one, two]
"""


def values(text: str) -> Any:
    return parse_yaml(text, Path()).data


def new_lines(old: str, new: str) -> list[str]:
    """Return the lines that came, with `+`, and went, with `-`."""
    return [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[0] in "+-"]


def test_a_value_is_replaced_and_its_comment_stays() -> None:
    assert new_lines(CONTRACT, with_value(CONTRACT, ("version",), "1.0.1")) == [
        "- version: 1.0.0   # a published version never changes",
        "+ version: 1.0.1   # a published version never changes",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1.0.0", "version: 1.0.1"),
        ("version: '1.0.0'\r\nb: 1", "version: '1.0.1'\r\nb: 1"),
        ('"version" :   "1.0.0" # x\n', '"version" :   "1.0.1" # x\n'),
        ("{a: 1, version: 1.0.0}", "{a: 1, version: 1.0.1}"),
        ('{"version": "1.0.0"}\n', '{"version": "1.0.1"}\n'),
        ("version:\nb: 1\n", "version: 1.0.1\nb: 1\n"),
        ("version: # none yet\n", "version: 1.0.1 # none yet\n"),
        ("version: ~\n", "version: 1.0.1\n"),
        ("version: |\n  1.0.0\n\n# x\nb: 1\n", "version: 1.0.1\n\n# x\nb: 1\n"),
        ("version: &v 1.0.0\n", "version: &v 1.0.1\n"),
        ("a: &v 1.0.0\nversion: *v\n", "a: &v 1.0.0\nversion: 1.0.1\n"),
        ("? version\n: 1.0.0\n", "? version\n: 1.0.1\n"),
        ("--- # first\nversion: 1.0.0\n...\n", "--- # first\nversion: 1.0.1\n...\n"),
        ("\ufeffversion: 1.0.0\n", "\ufeffversion: 1.0.1\n"),
        ("a: é\nversion: 1.0.0\n", "a: é\nversion: 1.0.1\n"),
        ("a: \U0001f980\nversion: 1.0.0\n", "a: \U0001f980\nversion: 1.0.1\n"),
    ],
)
def test_a_value_is_replaced_however_it_is_written(old: str, new: str) -> None:
    assert with_value(old, ("version",), "1.0.1") == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a: 1", "a: 1\nversion: 1.0.1"),
        ("a: 1\r\nb: 2 # x\r\n\r\n# end\r\n", "a: 1\r\nb: 2 # x\r\nversion: 1.0.1\r\n\r\n# end\r\n"),
        ("  a: 1\n  b: |\n    text\n\n", "  a: 1\n  b: |\n    text\n  version: 1.0.1\n\n"),
        ("a: |+\n  text\n\nb: |+\n  more\n\n", "a: |+\n  text\n\nb: |+\n  more\n\nversion: 1.0.1\n"),
        ("{}", "{version: 1.0.1}"),
        ("{a: 1, }", "{a: 1, version: 1.0.1, }"),
        ('{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "version": "1.0.1"\n}\n'),
        ("", "version: 1.0.1\n"),
        ("# nothing yet\n", "# nothing yet\nversion: 1.0.1\n"),
        ("a: &x {b: 1}\n<<: *x\n", "a: &x {b: 1}\n<<: *x\nversion: 1.0.1\n"),
    ],
)
def test_a_missing_key_is_added_at_the_end_of_its_mapping(old: str, new: str) -> None:
    assert with_value(old, ("version",), "1.0.1") == new


def test_a_key_is_added_to_an_item_where_its_keys_stand() -> None:
    path = ("team", "members", 0, "dateOut")
    changed = with_value(CONTRACT, path, "2014-10-01")
    assert new_lines(CONTRACT, changed) == ['+     dateOut: "2014-10-01"']
    flow = with_value(CONTRACT, ("team", "members", 1, "dateOut"), "2014-10-01")
    assert '  - {username: jane, role: steward, dateOut: "2014-10-01"}\n' in flow


def test_mappings_on_the_way_to_a_key_are_made() -> None:
    assert with_value("a: 1\n", ("team", "name"), "x") == "a: 1\nteam:\n  name: x\n"
    assert with_value("team: # soon\nb: 1\n", ("team", "name"), "x") == "team: # soon\n  name: x\nb: 1\n"
    assert with_value("team: ~\n", ("team", "name"), "x") == "team: {name: x}\n"


def test_an_item_stands_behind_the_one_that_it_follows() -> None:
    item = {"username": "john", "role": "dpo", "dateIn": "2014-10-01"}
    changed = with_item(CONTRACT, ("team", "members"), item, after=0)
    assert new_lines(CONTRACT, changed) == [
        "+   - username: john",
        "+     role: dpo",
        '+     dateIn: "2014-10-01"',
    ]
    assert values(changed)["team"]["members"][1] == item


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("l:\n- 1\n- 2 # two\n", "l:\n- 1\n- 2 # two\n- x\n"),
        ("l:\n    -   1", "l:\n    -   1\n    - x"),
        ("l: [1, 2] # all\n", "l: [1, 2, x] # all\n"),
        ("l: []\n", "l: [x]\n"),
        ("l: [\n  1,\n  2  # two\n]\n", "l: [\n  1,\n  2,  # two\n  x\n]\n"),
        ("l: [\n  1,\n  2,  # two\n]\n", "l: [\n  1,\n  2,  # two\n  x,\n]\n"),
        ("l: &l\n  - 1\nm: 2\n", "l: &l\n  - 1\n  - x\nm: 2\n"),
        ("l:\n", "l:\n  - x\n"),
        ("a: 1\n", "a: 1\nl:\n- x\n"),
        ("l:\n  - |\n    text\n\n# end\n", "l:\n  - |\n    text\n  - x\n\n# end\n"),
    ],
)
def test_an_item_is_added_however_the_list_is_written(old: str, new: str) -> None:
    assert with_item(old, ("l",), "x") == new


def test_the_worked_change_of_the_owner_gives_the_contract_of_the_next_patch() -> None:
    old, new = (
        (CASES / f"prospect-{version}.odcs.yaml").read_text("utf-8") for version in ("1.0.1", "1.0.2")
    )
    members = ("team", "members")
    text = with_value(old, ("version",), bumped("1.0.1", severity_of(compare(values(old), values(new)))))
    text = with_value(text, (*members, 2, "dateOut"), "2021-04-01")
    text = with_value(text, (*members, 2, "replacedByUsername"), "bkid")
    text = with_item(text, members, {"username": "bkid", "role": "dpo", "dateIn": "2021-04-01"}, after=2)
    assert text.splitlines()[1:] == new.splitlines()[1:]  # the first line is a comment about the version


@pytest.mark.parametrize(
    ("old", "path", "new"),
    [
        ("a: 1\nb: # x\n  c: 2\nd: 3\n", ("b",), "a: 1\nd: 3\n"),
        ("l:\n- 1\n- k: 2\n  m: 3\n- 4\n", ("l", 1), "l:\n- 1\n- 4\n"),
        ("a: 1\nb: 2", ("b",), "a: 1"),
        ("{a: 1, b: 2, c: 3}", ("b",), "{a: 1, c: 3}"),
        ("{a: 1, b: 2}", ("b",), "{a: 1}"),
        ("[1]", (0,), "[]"),
    ],
)
def test_a_key_or_item_is_removed(old: str, path: tuple[str | int, ...], new: str) -> None:
    assert without(old, path) == new


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("version: &v 1.0.0\nother: *v\n", ("version",)),
        ("a: &a {version: 1.0.0}\nb: *a\n", ("b", "version")),
        ("a: &a {version: 1.0.0}\nb: *a\n", ("a", "version")),
        ("version: [1]\n", ("version",)),
        ("version: !!str\n", ("version", "x")),
        ("a: 1\n", ("a", "b")),
        ("- 1\n", ("a",)),
    ],
)
def test_what_cannot_be_changed_safely_is_told_with_what_to_write(
    text: str, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(EditError) as caught:
        with_value(text, path, "1.0.1", where=Path("shop.odcs.yaml"))
    assert "by hand" in caught.value.message
    assert "1.0.1" in caught.value.hint
    assert caught.value.place().startswith("shop.odcs.yaml:")


def test_what_is_no_yaml_is_told_as_that() -> None:
    with pytest.raises(DocumentError):
        with_value("a: [", ("a",), 1)


# Documents as people write them, and worse

WORDS = st.sampled_from(["a", "orders", "1.0.0", "2024-01-15", "yes", "é", "x y", "# no", "a: b", "", "null", "'", '"', "- x"])  # fmt: skip
SCALARS = st.one_of(WORDS, st.integers(-5, 5), st.booleans(), st.none(), st.text(max_size=8))
KEYS = st.sampled_from(["a", "b", "version", "team", "x y", "2024", "true", "é"])
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw a document: a mapping in block style, with everything that a person may have added."""
    tree = draw(st.dictionaries(KEYS, TREES, min_size=1, max_size=4))
    lines = list(_written(draw, tree, draw(st.sampled_from([0, 0, 2]))))
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n# end\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))


def _written(draw: st.DrawFn, tree: Any, indent: int) -> Any:
    pad = " " * indent
    entries = tree.items() if isinstance(tree, dict) else ((None, value) for value in tree)
    for key, value in entries:
        if draw(st.booleans()):
            yield draw(st.sampled_from(["", f"{pad}# a comment: 'x'", "#"]))
        dash = "-" + " " * draw(st.integers(1, 3)) if key is None else ""
        quote = draw(st.sampled_from(["'", '"']))
        head = (
            dash
            if key is None
            else dump_values(key, quote=quote, always=draw(st.booleans()))
            + draw(st.sampled_from([":", " :"]))
        )
        comment = draw(st.sampled_from(["", "", " # why"]))
        deeper = indent + draw(st.integers(1, 4))
        style = draw(st.sampled_from(["block", "flow", "literal", "anchor"]))
        if isinstance(value, dict | list) and value and style != "flow":
            anchor = f" &n{draw(st.integers(0, 9))}" if style == "anchor" else ""
            yield f"{pad}{head.rstrip()}{anchor}{comment}"
            yield from _written(draw, value, deeper)
        elif isinstance(value, str) and value in ("a", "orders", "é") and style == "literal":
            sign = draw(st.sampled_from(["|", "|-", ">", ">-", "|+"]))
            yield f"{pad}{head.rstrip()} {sign}{comment}"
            yield f"{' ' * deeper}{value}"
            yield from draw(st.sampled_from([[], [""], ["", ""]]))
        else:
            anchor = " &s" if style == "anchor" else ""
            written = dump_values(value, quote=quote, flow=True, always=draw(st.booleans()))
            yield f"{pad}{head.rstrip()}{anchor} {written}{comment}"


def paths(data: Any, here: tuple[str | int, ...] = ()) -> Any:
    """Yield the path of every value."""
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield (*here, key)
            yield from paths(value, (*here, key))


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def keeps_everything_else(old: str, new: str) -> bool:
    """Say whether a text differs from another in one stretch alone that holds no comment of the old."""
    front = 0
    while front < min(len(old), len(new)) and old[front] == new[front]:
        front += 1
    back = 0
    while back < min(len(old), len(new)) - front and old[-1 - back] == new[-1 - back]:
        back += 1
    lost = old[front : len(old) - back]
    return "# why" not in lost and "# a comment" not in lost and "# end" not in lost


def edited(text: str, edit: Callable[[], str]) -> str:
    """Return the edit; nothing, if the text ends within a block: a line behind that would give it a newline."""
    try:
        return edit()
    except EditError:
        assert not text.endswith("\n")
        return ""


def ends_of_lines(text: str) -> set[str]:
    return set(re.findall("\r\n|\r|\n", text))


@PROPERTY
@given(documents(), st.data())
def test_a_replaced_value_leaves_every_other_one(text: str, data: st.DataObject) -> None:
    before = values(text)
    scalars = [path for path in paths(before) if not isinstance(at(before, path), dict | list)]
    if not scalars:
        return
    path = data.draw(st.sampled_from(scalars))
    value = data.draw(SCALARS)
    after = with_value(text, path, value)
    changed = values(after)
    assert at(changed, path) == value
    assert type(at(changed, path)) is type(value)
    assert ends_of_lines(after) <= (ends_of_lines(text) or {"\n"})
    assert text.endswith("\n") == after.endswith("\n")


@PROPERTY
@given(documents(), st.data())
@example("a: [\n  1 # x\n]", None)
def test_an_added_key_or_item_leaves_the_text_around_it(text: str, data: st.DataObject | None) -> None:
    before = values(text)
    places = [path for path in [(), *paths(before)] if isinstance(at(before, path), list | dict)]
    path = data.draw(st.sampled_from(places)) if data is not None else ("a",)
    if isinstance(at(before, path), list):
        item = data.draw(SCALARS | st.fixed_dictionaries({"k": SCALARS, "l": SCALARS})) if data else 2
        wanted: Any = [*at(before, path), item]
        after = edited(text, lambda: with_item(text, path, item))
    else:
        wanted = {**at(before, path), "added": "now"}
        after = edited(text, lambda: with_value(text, (*path, "added"), "now"))
    if not after:
        return
    assert at(values(after), path) == wanted
    assert keeps_everything_else(text, after)
    assert ends_of_lines(after) <= (ends_of_lines(text) or {"\n"})
    assert text.endswith("\n") == after.endswith("\n")


@PROPERTY
@given(st.text(max_size=40), st.sampled_from([("a",), ("a", 0), ("a", "b"), (0,)]), SCALARS)
def test_any_text_is_edited_rightly_or_refused(text: str, path: tuple[str | int, ...], value: Any) -> None:
    try:
        after = with_value(text, path, value)
    except (EditError, DocumentError):
        return
    assert at(values(after), path) == value
