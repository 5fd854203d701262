"""`factory owner` and `factory contact`: who answers for a product, and who did before.

The people are those of "Implementing Data Mesh" (Perrin, Broda; O'Reilly 2024): Clint, John, Calamity and Billy.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import add_shop, make_workspace, replace, write

from factory.documents import read_yaml
from factory.odcs.lint import lint_file
from factory.questions.contact import walk_back
from factory.standards import schema
from factory.workspace import find_workspace

CASES = Path(__file__).parent / "cases/contracts"
BOOK = CASES / "prospect-1.0.2.odcs.yaml"
DESCRIPTOR = "products/shop/product.odps.yaml"
CONTRACT = "products/shop/contracts/shop.odcs.yaml"

TEAM = """\
team:
  name: shop-team
  members:
    # the first
    - username: ceastwood
      role: dpo
      dateIn: "2014-08-02"   # a Saturday
      dateOut: "2014-10-01"
      replacedByUsername: jwayne
    - {username: jwayne, role: dpo, dateIn: "2014-10-01"}  # still

    # helps
    - username: steward@example.org
      role: steward
"""


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the product shop, not built."""
    root = make_workspace(tmp_path / "mesh")
    add_shop(root)
    text = (root / DESCRIPTOR).read_text("utf-8")
    before, _, rest = text.partition("team:\n")
    (root / DESCRIPTOR).write_text(before + TEAM + rest[rest.index("support:") :], "utf-8")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="module")
def built(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def published(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mesh, built and published."""
    root = tmp_path / "mesh"
    shutil.copytree(built, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def members(file: Path) -> list[Mapping[str, Any]]:
    team = read_yaml(file).data["team"]
    return list(team if isinstance(team, list) else team["members"])


def asked(factory: Command, *arguments: str | Path) -> dict[str, Any]:
    result = factory("contact", *arguments, "--format", "json")
    assert result.code in (0, 1), result.err
    Draft202012Validator(schema("contact.schema.json")).validate(result.json)
    assert result.code == int(result.json["ask"] is None)
    return dict(result.json)


# Whom to ask


def test_the_lineage_is_walked_back_to_the_first(factory: Command) -> None:
    chain = ["bkid", "cjane", "jwayne", "ceastwood"]
    found = asked(factory, BOOK)
    assert [person["username"] for person in found["lineage"]] == chain
    for number, name in enumerate(chain):
        skipped = [word for each in chain[:number] for word in ("--skip", each)]
        assert asked(factory, BOOK, *skipped)["ask"] == name
    everybody = [word for each in chain for word in ("--skip", each)]
    assert asked(factory, BOOK, *everybody)["ask"] is None


def test_the_answer_tells_role_time_and_comment(factory: Command) -> None:
    result = factory("contact", BOOK, "--skip", "bkid")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("Ask cjane: dpo of ")
    assert lines[0].endswith("2019-03-14 to 2021-04-01.")
    assert [line.split() for line in lines[2:6]] == [
        ["-", "bkid", "dpo", "since", "2021-04-01"],
        [">", "cjane", "dpo", "2019-03-14", "to", "2021-04-01", *["Minor", "interruption", "due", "to", "sabbatical"]],
        ["jwayne", "dpo", "2014-10-01", "to", "2019-03-14"],
        ["ceastwood", "dpo", "2014-08-02", "to", "2014-10-01"],
    ]  # fmt: skip


def test_contracts_before_odcs_3_name_stakeholders(factory: Command) -> None:
    found = asked(factory, CASES / "book-stakeholders.yaml")
    assert found["ask"] == "bkid"
    assert found["lineage"][1]["comment"] == "Minor interruption due to sabbatical"


def test_with_everybody_skipped_there_is_support(mesh: Path, factory: Command) -> None:
    result = factory("contact", "shop", "--skip", "jwayne", "--skip", "ceastwood")
    assert result.code == 1
    assert "Nobody who ever owned shop is left to ask." in result.out
    assert "Support  help https://support.example.org/shop" in result.out


def test_a_product_that_is_only_published_has_its_lineage_still(published: Path, factory: Command) -> None:
    shutil.rmtree(published / "products/board")
    found = asked(factory, "board")
    assert found["ask"] == "board-owner@example.org"
    assert found["support"] == [{"channel": "help", "url": "https://support.example.org/board"}]


def test_a_contract_has_the_lineage_where_the_product_names_no_owner(mesh: Path, factory: Command) -> None:
    text = (mesh / DESCRIPTOR).read_text("utf-8")
    (mesh / DESCRIPTOR).write_text(text.replace("role: dpo", "role: adviser"), "utf-8")
    with (mesh / CONTRACT).open("a", encoding="utf-8") as file:
        file.write("team: {members: [{username: bkid, role: Owner}]}\n")
    assert asked(factory, "shop")["ask"] == "bkid"


def test_whom_nobody_knows_is_told(mesh: Path, factory: Command) -> None:
    result = factory("contact", "shop", "--skip", "jwyane")
    assert (result.code, "jwyane never owned shop" in result.err, "jwayne, ceastwood" in result.err) == (
        2,
        True,
        True,
    )
    result = factory("contact", "shopp")
    assert (result.code, "did you mean 'shop'" in result.err) == (2, True)
    assert factory("contact", "nothing.odcs.yaml").code == 2
    assert "no contract" in factory("contact", write(mesh / "list.yaml", "- 1\n")).err


def test_a_broken_chain_goes_on_with_the_latest_who_is_left() -> None:
    people = [
        {"username": "a", "dateIn": "2020-01-01", "dateOut": "2021-01-01", "replacedByUsername": "b"},
        {"username": "c", "dateIn": "2022-01-01"},
        {"username": "b", "dateIn": "2021-01-01", "dateOut": "2022-01-01"},
        {"username": "z", "dateOut": "2010-01-01"},
    ]
    assert [person["username"] for person in walk_back(people)] == ["c", "b", "a", "z"]


def test_somebody_who_came_back_is_asked_once_for_each_time() -> None:
    people = [
        {"username": "a", "dateIn": "2020-01-01", "dateOut": "2021-01-01", "replacedByUsername": "b"},
        {"username": "b", "dateIn": "2021-01-01", "dateOut": "2022-01-01", "replacedByUsername": "a"},
        {"username": "a", "dateIn": "2022-01-01"},
    ]
    assert [person.get("dateIn") for person in walk_back(people)] == [
        "2022-01-01",
        "2021-01-01",
        "2020-01-01",
    ]


# Another owner


def test_one_command_closes_the_old_entry_and_opens_the_new_one(mesh: Path, factory: Command) -> None:
    before = (mesh / DESCRIPTOR).read_text("utf-8")
    result = factory("owner", "shop", "--new", "cjane", "--name", "Calamity Jane", "--date", "2019-03-14")
    assert result.code == 0, result.err
    old = '    - {username: jwayne, role: dpo, dateIn: "2014-10-01"}  # still\n'
    new = (
        '    - {username: jwayne, role: dpo, dateIn: "2014-10-01", dateOut: "2019-03-14", replacedByUsername: cjane}'
        "  # still\n"
        "    - username: cjane\n"
        "      name: Calamity Jane\n"
        "      role: dpo\n"
        '      dateIn: "2019-03-14"\n'
    )
    assert (mesh / DESCRIPTOR).read_text("utf-8") == before.replace(old, new)
    line = new_line = before.splitlines().index(old.rstrip("\n")) + 1
    assert result.out.splitlines() == [
        "cjane owns shop, after jwayne.",
        f"  {DESCRIPTOR}:{line}  jwayne: dateOut 2019-03-14",
        f"  {DESCRIPTOR}:{line}  jwayne: replacedByUsername cjane",
        f"  {DESCRIPTOR}:{new_line + 1}  cjane: dpo since 2019-03-14",
    ]
    assert asked(factory, "shop")["ask"] == "cjane"


def test_the_four_of_the_book_follow_each_other(mesh: Path, factory: Command) -> None:
    factory("owner", "shop", "--new", "cjane", "--date", "2019-03-14")
    factory("owner", "shop", "--new", "bkid", "--date", "2021-04-01")
    found = asked(factory, "shop")
    assert [person["username"] for person in found["lineage"]] == ["bkid", "cjane", "jwayne", "ceastwood"]
    assert [person["replaced_by"] for person in found["lineage"]] == ["", "bkid", "cjane", "jwayne"]


def test_contracts_with_a_team_of_their_own_follow(mesh: Path, factory: Command) -> None:
    with (mesh / CONTRACT).open("a", encoding="utf-8") as file:
        file.write("team:\n- username: jwayne\n  role: Data Product Owner # of old\n  dateIn: '2015-01-01'\n")
    assert factory("owner", "shop", "--new", "cjane", "--date", "2019-03-14").code == 0
    assert members(mesh / CONTRACT) == [
        {"username": "jwayne", "role": "Data Product Owner", "dateIn": "2015-01-01", "dateOut": "2019-03-14",
         "replacedByUsername": "cjane"},
        {"username": "cjane", "role": "Data Product Owner", "dateIn": "2019-03-14"},
    ]  # fmt: skip
    assert "# of old" in (mesh / CONTRACT).read_text("utf-8")
    assert members(mesh / DESCRIPTOR)[2]["username"] == "cjane"
    codes = {finding.code for finding in lint_file(mesh / CONTRACT)}
    assert not codes & {"lineage-broken", "no-owner", "several-owners", "dates-in-disorder"}


def test_a_published_version_is_raised_by_a_patch_and_certified(published: Path, factory: Command) -> None:
    result = factory("owner", "shop", "--new", "cjane")
    assert f"{CONTRACT}:4  version 1.0.0 -> 1.0.1" in result.out
    assert "Look here, too" in result.out
    assert "products/shop/models/_groups.yml:5" in result.out
    product = factory("build", "shop", "--format", "json").json["products"][0]
    assert (product["outcome"], product["version"]) == ("certified", "1.0.1")
    factory("owner", "shop", "--new", "bkid")
    factory("owner", "shop", "--new", "jwayne")  # 1.0.2 is not published, so it stays
    assert "version: 1.0.2" in (published / CONTRACT).read_text("utf-8")


def test_the_version_that_a_product_states_is_raised_too(published: Path, factory: Command) -> None:
    replace(published / DESCRIPTOR, "name: shop\n", "name: shop\nversion: 2.0.0\n")
    assert factory("build", "shop").code == 0
    assert f"{DESCRIPTOR}:5  version 2.0.0 -> 2.0.1" in factory("owner", "shop", "--new", "cjane").out
    assert factory("build", "shop", "--format", "json").json["products"][0]["outcome"] == "certified"


def test_line_ends_and_the_mark_of_the_encoding_stay(mesh: Path, factory: Command) -> None:
    before = b"\xef\xbb\xbf" + (mesh / DESCRIPTOR).read_bytes().replace(b"\n", b"\r\n").rstrip()
    (mesh / DESCRIPTOR).write_bytes(before)
    assert factory("owner", "shop", "--new", "cjane").code == 0
    after = (mesh / DESCRIPTOR).read_bytes()
    assert after.startswith(b"\xef\xbb\xbfapiVersion")
    assert after.count(b"\n") == after.count(b"\r\n") == before.count(b"\n") + 3
    assert not after.endswith(b"\n")


def test_without_an_owner_the_entry_is_opened(mesh: Path, factory: Command) -> None:
    text = (mesh / DESCRIPTOR).read_text("utf-8")
    (mesh / DESCRIPTOR).write_text(text[: text.index("  members:")] + text[text.index("support:") :], "utf-8")
    assert factory("owner", "shop", "--new", "cjane", "--date", "2019-03-14").out.startswith(
        "cjane owns shop."
    )
    assert members(mesh / DESCRIPTOR) == [{"username": "cjane", "role": "dpo", "dateIn": "2019-03-14"}]
    assert find_workspace(mesh).root == mesh.resolve()


def test_a_dry_run_writes_nothing(mesh: Path, factory: Command) -> None:
    before = (mesh / DESCRIPTOR).read_bytes()
    result = factory("owner", "shop", "--new", "cjane", "--dry-run")
    assert result.out.startswith("cjane would own shop, after jwayne.")
    assert "Nothing is written" in result.out
    assert (mesh / DESCRIPTOR).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--new", "jwayne"], "jwayne owns shop already"),
        (["--new", "cjane", "--date", "2014-09-30"], "jwayne came on 2014-10-01, after 2014-09-30"),
        (["--new", "cjane", "--date", "yesterday"], "'yesterday' is no date"),
        (["--new", " "], "the new owner has no name"),
        (["--new", "a\nb"], "the new owner has no name"),
    ],
)
def test_what_cannot_be_is_refused(mesh: Path, factory: Command, arguments: list[str], told: str) -> None:
    before = (mesh / DESCRIPTOR).read_bytes()
    result = factory("owner", "shop", *arguments)
    assert result.code == 2
    assert told in result.err
    assert (mesh / DESCRIPTOR).read_bytes() == before


def test_two_owners_at_once_are_settled_by_hand(mesh: Path, factory: Command) -> None:
    replace(mesh / DESCRIPTOR, "role: steward", "role: dpo")
    result = factory("owner", "shop", "--new", "cjane")
    assert (result.code, "both the owner now" in result.err) == (2, True)


def test_nothing_is_written_if_one_file_cannot_be(mesh: Path, factory: Command) -> None:
    with (mesh / CONTRACT).open("a", encoding="utf-8") as file:
        file.write("team: {members: [&w {username: jwayne, role: dpo}, *w]}\n")
    before = (mesh / DESCRIPTOR).read_bytes()
    assert factory("owner", "shop", "--new", "cjane").code == 2
    assert (mesh / DESCRIPTOR).read_bytes() == before
