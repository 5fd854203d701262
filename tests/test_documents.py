"""YAML as people write it, and as people attack with it."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

import pytest
import yaml
from builders import PROPERTY, write_tree
from hypothesis import assume, example, given
from hypothesis import strategies as st

from factory.documents import Document, dump_yaml, parse_yaml, read_yaml
from factory.errors import DocumentError

FILE = Path("product.odps.yaml")


def read(text: str) -> object:
    return parse_yaml(text, FILE).data


def refused(text: str) -> DocumentError:
    started = time.process_time()
    with pytest.raises(DocumentError) as caught:
        parse_yaml(text, FILE)
    assert time.process_time() - started < 1
    assert caught.value.where == FILE
    return caught.value


# What a value is


@pytest.mark.parametrize(
    "text",
    [
        "NO",
        "no",
        "Yes",
        "on",
        "off",
        "y",
        "010",
        "0o17",
        "0x1F",
        "0b101",
        "1_000",
        "12:30:45",
        "190:20:30",
        "2024-01-31",
        "2024-01-31T10:00:00Z",
        "=",
        ".inf",
        ".nan",
        "1.0.0",
        "1e",
        "TRUE!",
        "nil",
    ],
)
def test_what_yaml_1_1_turns_into_something_else_stays_the_text_that_was_written(text: str) -> None:
    assert read(f"value: {text}") == {"value": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[(word, None) for word in ("null", "Null", "NULL", "~", "")],
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
    ],
)
def test_numbers_booleans_and_null_are_those_of_the_core_schema(text: str, value: object) -> None:
    found = read(f"value: {text}")
    assert found == {"value": value}
    assert type(found["value"]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize("text", ["true", "null", "12", "1.5", "~"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_what_is_quoted_is_text(text: str, quote: str) -> None:
    assert read(f"value: {quote}{text}{quote}") == {"value": text}


def test_what_is_tagged_as_text_is_text() -> None:
    assert read("value: !!str 12") == {"value": "12"}


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("1: a\ntrue: b\nno: c\n2024-01-31: d") == {
        "1": "a",
        "true": "b",
        "no": "c",
        "2024-01-31": "d",
    }


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing here\n", "---\n"])
def test_an_empty_file_holds_nothing(text: str) -> None:
    assert read(text) is None


def test_a_mark_of_byte_order_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    write_tree(
        tmp_path, {"plain.yaml": "a: 1\nb:\n  - x\n", "windows.yaml": b"\xef\xbb\xbfa: 1\r\nb:\r\n  - x\r\n"}
    )
    plain, windows = read_yaml(tmp_path / "plain.yaml"), read_yaml(tmp_path / "windows.yaml")
    assert windows.data == plain.data == {"a": 1, "b": ["x"]}
    assert windows.line("b", 0) == plain.line("b", 0) == 3


# Where a value stands

LINES = parse_yaml(
    """\
name: orders
description:
  purpose: >-
    What customers
    ordered.
schema:
  - name: orders
    properties:
      - {name: order_id}
      - name: amount

        description: last
""",
    FILE,
)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), 1),
        (("name",), 1),
        (("description", "purpose"), 3),
        (("schema",), 6),
        (("schema", 0), 7),
        (("schema", 0, "properties", 0, "name"), 9),
        (("schema", 0, "properties", 1), 10),
        (("schema", 0, "properties", 1, "description"), 12),
    ],
)
def test_every_value_knows_its_line(keys: tuple[str | int, ...], line: int) -> None:
    assert LINES.line(*keys) == line


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    assert LINES.line("schema", 0, "properties", 1, "logicalType") == 10
    assert LINES.line("schema", 3) == 6
    assert LINES.line("team", "name") == 1
    assert Document(FILE, None).line("team") == 1


# What is refused, and where


def test_a_key_that_stands_twice_is_refused_with_both_lines() -> None:
    error = refused("pii: true\nname: x\npii: false\n")
    assert error.place() == "product.odps.yaml:3"
    assert "'pii'" in error.message
    assert "lines 1 and 3" in error.message
    assert error.hint


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n'a': 2",
        "a:\n  b: 1\n  b: 2",
        "- {a: 1, a: 2}",
        "1: a\n'1': b",
        "base: &b {x: 1}\na: {<<: *b, y: 1, y: 2}",
    ],
)
def test_a_key_stands_twice_however_it_is_written(text: str) -> None:
    assert "stands twice" in refused(text).message


def test_a_merged_mapping_gives_way_to_what_is_written_beside_it() -> None:
    text = "base: &base {x: 1, y: 2}\nbefore:\n  <<: *base\n  x: 3\nafter:\n  x: 3\n  <<: *base\n"
    data = read(text)
    assert data == {"base": {"x": 1, "y": 2}, "before": {"x": 3, "y": 2}, "after": {"x": 3, "y": 2}}


def test_of_several_merged_mappings_the_first_counts() -> None:
    assert read("a: &a {x: 1}\nb: &b {x: 2, z: 1}\nc: {<<: [*a, *b]}")["c"] == {"x": 1, "z": 1}  # type: ignore[index]


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    assert read('a: {"<<": 3}') == {"a": {"<<": 3}}


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("[", "]"), ("[", ""), ("{a: ", "}"), ("{a: ", ""), ("- ", ""), ("? ", ""), ("{? ", "")],
)
def test_a_hundred_thousand_levels_are_refused_and_nothing_crashes(opening: str, closing: str) -> None:
    error = refused(opening * 100_000 + closing * 100_000)
    assert error.line == 1
    assert "deeper than 64" in error.message or "plain text" in error.message


def test_sixty_four_levels_are_read() -> None:
    value = read("[" * 64 + "]" * 64)
    for _ in range(63):
        value = value[0]  # type: ignore[index]
    assert value == []


def test_an_alias_bomb_is_refused_before_it_is_expanded() -> None:
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    levels += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    error = refused("\n".join(levels))
    assert "200,000 values" in error.message
    assert error.line > 1


def test_a_merge_bomb_is_refused() -> None:
    levels = [f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n  k{n}: 1" for n in range(1, 22)]
    assert "200,000 values" in refused("a0: &a0 {k0: 1}\n" + "\n".join(levels)).message


def test_a_hundred_aliases_are_read_and_one_more_is_not() -> None:
    assert read("a: &a 1\nb: [" + "*a, " * 100 + "]")["b"] == [1] * 100  # type: ignore[index]
    assert "100 aliases" in refused("a: &a 1\nb: [" + "*a, " * 101 + "]").message


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: *nobody", "&a {x: *a}"])
def test_an_alias_of_what_is_not_finished_before_it_is_refused(text: str) -> None:
    assert "has no anchor before it" in refused(text).message


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/object/new:os.system ['true']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/tuple [1, 2]",
        "!include other.yaml",
        "!ENV ${HOME}",
        "!unknown x",
        "!<tag:example.org,2000:x> x",
        "!!binary aGVsbG8=",
        "!!timestamp 2024-01-31",
        "!!set {a, b}",
        "!!omap [a: 1]",
        "!!pairs [a: 1]",
    ],
)
@pytest.mark.parametrize("place", ["{}", "a: {}", "a:\n  - {}"])
def test_tags_of_other_languages_are_refused(value: str, place: str) -> None:
    error = refused(place.format(value))
    assert "is not allowed" in error.message
    assert error.line == place.count("\n") + 1
    assert error.hint == "write plain values"


@pytest.mark.parametrize(
    "number", ["9" * 101, "-" + "9" * 101, "9" * 1_900_000], ids=["just", "minus", "huge"]
)
def test_a_number_of_more_digits_than_anybody_needs_is_refused(number: str) -> None:
    assert "100 digits" in refused(f"a: {number}").message


def test_a_number_of_a_hundred_digits_is_read_and_a_quoted_one_may_be_longer() -> None:
    assert read("a: " + "9" * 100) == {"a": int("9" * 100)}
    assert read(f"a: '{'9' * 101}'") == {"a": "9" * 101}


def test_two_megabytes_are_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    head = "a: '"
    write_tree(
        tmp_path,
        {"most.yaml": head + "x" * (2_000_000 - 5) + "'", "more.yaml": head + "x" * (2_000_000 - 4) + "'"},
    )
    assert len(read_yaml(tmp_path / "most.yaml").data["a"]) == 2_000_000 - 5
    with pytest.raises(DocumentError, match=r"more than 2,000,000 bytes"):
        read_yaml(tmp_path / "more.yaml")


def test_two_hundred_thousand_values_are_the_limit_without_aliases_too() -> None:
    assert "200,000 values" in refused("[" + "x," * 200_000 + "]").message


@pytest.mark.parametrize("text", ["a:\n\tb: 1", "a:\n  b: 1\n\tc: 2"])
def test_a_tab_in_the_indentation_is_told_as_one(text: str) -> None:
    error = refused(text)
    assert error.line == text.count("\n") + 1
    assert error.hint == "YAML is indented with spaces, not tabs"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: c: d", 2),
        ("a: 1\nb: {c: 1]", 2),
        ("a: @x", 1),
        ("a: `x`", 1),
        ("a: 1\n b: 2", 2),
        ("- a\nb: c", 2),
        ("a: %x\n%y", 1),
    ],
)
def test_broken_yaml_is_refused_with_its_line_and_a_hint(text: str, line: int) -> None:
    error = refused(text)
    assert error.message.startswith("not valid YAML: ")
    assert error.line == line
    assert error.hint


@pytest.mark.parametrize("text", ["a: \0", "a: \x07", '"\\ud800"', "a: 'x", "&", "*", "%YAML 9.9\n---\na"])
def test_nothing_but_a_document_error_comes_out_of_odd_text(text: str) -> None:
    assert refused(text).message.startswith("not valid YAML: ")


@pytest.mark.parametrize("text", ["[1, 2]: x", "{a: 1}: x", "a: &a x\n*a : 3"])
def test_a_key_that_is_no_plain_text_is_refused(text: str) -> None:
    assert refused(text).message == "a key must be plain text"


def test_two_documents_in_one_file_are_refused() -> None:
    error = refused("a: 1\n---\nb: 2\n")
    assert (error.line, error.message) == (3, "the file holds more than one YAML document")


def test_a_merge_of_what_is_no_mapping_is_refused() -> None:
    assert refused("a:\n  <<: 3").line == 2


def test_a_file_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nobody.yaml"):
        with pytest.raises(DocumentError, match="cannot read the file") as caught:
            read_yaml(path)
        assert caught.value.where == path


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    write_tree(tmp_path, {"latin.yaml": "a: 1\nb: Zürich\n".encode("latin-1")})
    with pytest.raises(DocumentError, match="not UTF-8") as caught:
        read_yaml(tmp_path / "latin.yaml")
    assert caught.value.line == 2
    assert caught.value.hint == "save it as UTF-8"


# Text of every kind, there and back

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="0123456789"), max_size=30)
# What YAML 1.1 and 1.2 could take for something else, or for syntax.
looks = st.text(st.sampled_from("0129.:-+_eEoxTZNO \n\n\t#'\"{}[]&*!|>%@`,?~=<\\é\u2028"), max_size=20)
scalars = (
    words
    | looks.filter(lambda text: not number_of_1_2.fullmatch(text))
    | st.none()
    | st.booleans()
    | st.integers(-(10**98), 10**99)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


# Text that YAML 1.2 takes for a number and YAML 1.1 does not.
number_of_1_2 = re.compile(r"[-+]?[0-9]*\.?[0-9]*[eE][-+]?[0-9]+|[-+]\.[0-9]+")


@PROPERTY
@given(looks | words)
@example("12:30:45")
@example("2024-01-31")
@example("1_000")
@example("010")
@example("NO")
@example("on")
@example("~")
@example("")
@example("<<")
@example("a: b")
@example("# x")
@example("one\ntwo\n")
@example("one\n\n  two\nthree")
@example("  one\ntwo")
@example("\none\ntwo\n\n")
@example("one \ntwo\t\n")
@example("one\r\ntwo")
@example("\ufeffone\u2028two\x85three")
@example("\x00\x07\x1b[0m")
@example("word " * 60)
@example("---\nword")
def test_text_comes_back_as_it_was_from_our_reader_and_from_pyyaml(text: str) -> None:
    written = dump_yaml({"value": text})
    assert yaml.safe_load(written) == {"value": text}
    assume(not number_of_1_2.fullmatch(text))
    assert read(written) == {"value": text}


@PROPERTY
@given(values)
def test_every_plain_value_comes_back_as_it_was(value: object) -> None:
    assert read(dump_yaml(value)) == value


@PROPERTY
@given(words | looks)
def test_reading_odd_text_gives_values_or_a_document_error_and_nothing_else(text: str) -> None:
    with contextlib.suppress(DocumentError):
        parse_yaml(text, FILE)


def test_a_dump_keeps_the_order_of_keys_and_writes_shared_values_out() -> None:
    shared = {"x": 1}
    assert dump_yaml({"b": shared, "a": shared}) == "b:\n  x: 1\na:\n  x: 1\n"


def test_a_dump_shows_lines_as_lines_and_letters_as_letters() -> None:
    assert (
        dump_yaml({"sql": "select 1\nfrom x", "town": "Zürich"})
        == "sql: |-\n  select 1\n  from x\ntown: Zürich\n"
    )
