"""Each policy: what holds, what does not, and what its owner reads then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import (
    a_check,
    a_column,
    a_crossing,
    a_product,
    a_promise,
    a_relation,
    a_run,
    published,
    some_artifacts,
    some_contracts,
    some_evidence,
    write_tree,
)

from factory.certify import certify
from factory.contract import Contract, draft_product
from factory.evidence import Evidence, Finding, Severity
from factory.policies import POLICIES
from factory.policies.bounded import bounded
from factory.policies.built import built
from factory.policies.compatible import comes_from_tools, compatible
from factory.policies.connected import connected
from factory.policies.consistent import consistent
from factory.policies.documented import documented
from factory.policies.linked import linked
from factory.policies.once import once
from factory.policies.owned import owned
from factory.policies.promised import promised
from factory.policies.settled import settled
from factory.policies.tested import tested as is_tested  # a name that pytest does not take for a test
from factory.policies.traceable import traceable
from factory.products import Member
from factory.quality import Outcome

BLOCKS, ADVISES = Severity.BLOCKS, Severity.ADVISES
CONTRACT_FILE = "products/orders/contracts/orders.odcs.yaml"
MODEL_FILE = "products/orders/models/marts/orders.sql"


def the_finding(policy: Callable[[Evidence], Iterator[Finding]], **evidence: Any) -> Finding:
    """Return what one policy has to say, which is one thing in its own name."""
    (finding,) = policy(some_evidence(**evidence))
    assert finding.policy == policy.__name__
    return finding


def with_models(*relations: Any, **more: Any) -> Evidence:
    return some_evidence(artifacts=some_artifacts(*relations), **more)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_every_policy_holds_for_a_good_product_and_is_documented(
    policy: Callable[[Evidence], Iterator[Finding]],
) -> None:
    assert list(policy(some_evidence())) == []
    assert policy.__doc__


def test_a_good_product_is_certified_and_one_blocking_finding_refuses_it() -> None:
    assert certify(some_evidence()).certified
    certificate = certify(some_evidence(product=a_product(team="", cost_center="")))
    assert not certificate.certified
    assert [finding.policy for finding in certificate.reasons] == ["owned", "owned"]


def test_what_blocks_is_told_before_what_advises_and_nothing_twice() -> None:
    model = a_relation("stg_orders", access="protected", description="")
    evidence = some_evidence(
        artifacts=some_artifacts(model, a_relation()), crossings=(a_crossing("seed"),) * 2
    )
    certificate = certify(evidence)
    assert [finding.severity for finding in certificate.findings] == [BLOCKS, ADVISES]
    assert (len(certificate.reasons), len(certificate.advice)) == (1, 1)


def test_a_finding_is_told_in_one_line() -> None:
    finding = Finding(
        "owned", BLOCKS, "the product names no team", "products/orders/product.odps.yaml", "write team.name"
    )
    assert finding.words() == "products/orders/product.odps.yaml: the product names no team (write team.name)"
    assert Finding("owned", BLOCKS, "no team").words() == "no team"


# owned


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": ()}, "the product names no owner"),
        ({"members": (Member("a@example.org", "steward"),)}, "the product names no owner"),
        ({"members": (Member("a@example.org", "dpo", "2024-01-01"),)}, "the product names no owner"),
        ({"team": ""}, "the product names no team"),
        ({"cost_center": ""}, "the product names no cost center"),
        ({"descriptor": {"support": None}}, "the product names no support channel"),
        ({"descriptor": {"support": []}}, "the product names no support channel"),
    ],
)
def test_who_answers_for_a_product_is_named(changes: dict[str, Any], message: str) -> None:
    finding = the_finding(owned, product=a_product(**changes))
    assert (finding.message, finding.severity) == (message, BLOCKS)
    assert finding.where == "products/orders/product.odps.yaml"
    assert finding.hint


# promised


def test_a_product_without_a_contract_promises_nothing() -> None:
    finding = the_finding(promised, promises=())
    assert finding.message == "the product has no contract, so it promises nothing"
    assert finding.hint == "write contracts/orders.odcs.yaml"


def test_a_contract_that_covers_no_public_model_promises_nothing() -> None:
    finding = the_finding(promised, artifacts=some_artifacts(a_relation(access="protected")))
    assert (finding.message, finding.where) == ("the contract covers no public model", CONTRACT_FILE)


def test_a_public_model_in_no_contract_is_found() -> None:
    artifacts = some_artifacts(a_relation("orders"), a_relation("returns"))
    finding = the_finding(promised, artifacts=artifacts, promises=[a_promise(schema=[{"name": "orders"}])])
    assert finding.message == "the public model returns is in no contract"
    assert finding.where == "products/orders/models/marts/returns.sql"


def test_a_public_model_in_two_contracts_is_found() -> None:
    finding = the_finding(promised, promises=[a_promise("first"), a_promise("second")])
    assert finding.message == "orders is in two contracts: first 1.x and second 1.x"


def test_a_public_model_has_an_enforced_contract() -> None:
    finding = the_finding(promised, artifacts=some_artifacts(a_relation(enforced=False)))
    assert finding.message == "the dbt contract of the public model orders is not enforced"
    assert (finding.severity, finding.where) == (BLOCKS, MODEL_FILE)


def test_what_is_not_public_needs_no_contract() -> None:
    others = (
        a_relation("stg", access="private", enforced=False),
        a_relation("inlined", materialized="ephemeral", enforced=False),
    )
    assert list(promised(with_models(*others, a_relation()))) == []


# bounded


def test_reading_another_product_s_port_is_fine() -> None:
    assert list(bounded(some_evidence(crossings=(a_crossing(),)))) == []


@pytest.mark.parametrize(
    ("kind", "access", "what"),
    [
        ("model", "protected", "protected model"),
        ("model", "private", "private model"),
        ("model", "", "non-public model"),
        ("seed", "", "seed"),
        ("snapshot", "", "snapshot"),
        ("source", "", "source"),
    ],
)
def test_reading_anything_else_of_another_product_blocks(kind: str, access: str, what: str) -> None:
    finding = the_finding(bounded, crossings=(a_crossing(kind, access),))
    assert finding.message == f"orders reads the {what} customers of customers"
    assert (finding.severity, finding.where, finding.input_fault) == (BLOCKS, MODEL_FILE, True)


# built

BROKEN = """\
Runtime Error in model orders (models/marts/orders.sql)
  Binder Error: Referenced column "amuont" not found in FROM clause!
  LINE 4:     amuont
              ^
"""


def runs(*found: Any) -> Any:
    return some_artifacts(runs=found)


@pytest.mark.parametrize("status", ["success", "pass"])
def test_what_was_built_is_fine(status: str) -> None:
    assert list(built(some_evidence(artifacts=runs(a_run(status=status))))) == []


def test_sql_that_fails_is_told_with_its_line_and_as_a_mistake_in_a_file(tmp_path: Path) -> None:
    sql = "{{ config(materialized='table') }}\nselect\n    order_id,\n    amuont\nfrom {{ ref('stg_orders') }}\n"
    product = a_product(root=tmp_path)
    write_tree(product.folder, {"models/marts/orders.sql": sql})
    finding = the_finding(built, product=product, artifacts=runs(a_run(status="error", message=BROKEN)))
    assert finding.where == f"{MODEL_FILE}:4"
    assert finding.message.startswith(
        'orders could not be built: Binder Error: Referenced column "amuont" not found'
    )
    assert "\n" not in finding.message
    assert finding.input_fault
    assert finding.hint


def test_a_fault_of_the_data_is_no_mistake_in_a_file() -> None:
    message = "Runtime Error in model orders (models/marts/orders.sql)\n  Constraint Error: NOT NULL constraint failed"
    finding = the_finding(built, artifacts=runs(a_run(status="error", message=message)))
    assert finding.message == "orders could not be built: Constraint Error: NOT NULL constraint failed"
    assert (finding.where, finding.input_fault, finding.severity) == (MODEL_FILE, False, BLOCKS)


def test_a_long_message_is_cut() -> None:
    finding = the_finding(built, artifacts=runs(a_run(status="error", message="x" * 5000)))
    assert len(finding.message) < 450


def test_skipped_models_block_where_nothing_of_the_product_failed() -> None:
    finding = the_finding(built, artifacts=runs(a_run("a", "skipped"), a_run("b", "skipped")))
    assert finding.message.startswith("2 of its models were skipped")
    assert finding.where == "products/orders"


def test_skipped_models_behind_a_failure_are_not_told_apart() -> None:
    finding = the_finding(built, artifacts=runs(a_run("a", "error", "x"), a_run("b", "skipped")))
    assert finding.message == "a could not be built: x"


# documented


def test_a_product_has_a_summary() -> None:
    finding = the_finding(documented, product=a_product(summary=""))
    assert (finding.message, finding.severity) == ("the product has no summary", BLOCKS)
    assert finding.where == "products/orders/product.odps.yaml"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"description": ""}, "orders has no description"),
        ({"columns": (a_column(description=""), a_column("amount"))}, "orders: no description of order_id"),
        ({"columns": (a_column(data_type=""),)}, "orders: no data_type of order_id"),
    ],
)
def test_what_a_port_does_not_tell_blocks(changes: dict[str, Any], message: str) -> None:
    finding = the_finding(documented, artifacts=some_artifacts(a_relation(**changes)))
    assert (finding.message, finding.severity, finding.where) == (message, BLOCKS, MODEL_FILE)


def test_what_is_missing_inside_the_product_is_advice() -> None:
    inside = a_relation("stg_orders", access="protected", description="")
    finding = the_finding(documented, artifacts=some_artifacts(inside, a_relation()))
    assert (finding.message, finding.severity) == ("stg_orders has no description", ADVISES)


def test_many_missing_descriptions_are_counted() -> None:
    columns = tuple(a_column(f"c{number}", description="") for number in range(8))
    finding = the_finding(documented, artifacts=some_artifacts(a_relation(columns=columns)))
    assert finding.message == "orders: no description of c0, c1, c2, c3, c4 and 3 more"


def test_a_column_that_only_the_database_has_lacks_a_description_and_no_type() -> None:
    columns = (a_column(), a_column("extra", declared=False, description="", data_type=""))
    finding = the_finding(documented, artifacts=some_artifacts(a_relation(columns=columns)))
    assert finding.message == "orders: no description of extra"


def test_a_source_needs_no_types() -> None:
    raw = a_relation("raw.orders", "source", columns=(a_column(data_type=""),))
    assert list(documented(with_models(raw, a_relation()))) == []


# tested


def test_a_port_without_a_check_blocks() -> None:
    finding = the_finding(is_tested, checks=())
    assert finding.message == "the output port orders has no test and no check"
    assert "checks for orders:" in finding.hint
    assert (finding.severity, finding.where) == (BLOCKS, MODEL_FILE)


def test_a_port_is_checked_under_either_of_its_names() -> None:
    port = a_relation("orders", identifier="orders_v2")
    for name in ("orders", "ORDERS_V2"):
        assert list(is_tested(with_models(port, checks=(a_check(table=name),)))) == []
    assert the_finding(is_tested, checks=(a_check(table="returns"),)).message.startswith(
        "the output port orders has no test"
    )


@pytest.mark.parametrize(
    ("outcome", "severity", "says"),
    [
        (Outcome.WARN, ADVISES, "odcs check 'rowCount' on orders warns: measured 3"),
        (Outcome.FAIL, BLOCKS, "odcs check 'rowCount' on orders failed: measured 3"),
        (Outcome.ERROR, BLOCKS, "odcs check 'rowCount' on orders is broken: measured 3"),
        (Outcome.NOT_RUN, BLOCKS, "odcs check 'rowCount' on orders did not run: measured 3"),
    ],
)
def test_a_check_that_does_not_hold_is_told(outcome: Outcome, severity: Severity, says: str) -> None:
    finding = the_finding(is_tested, checks=(a_check(outcome, reason="measured 3"),))
    assert (finding.message, finding.severity, finding.where) == (says, severity, f"{CONTRACT_FILE}:7")


@pytest.mark.parametrize(
    ("outcome", "severity"), [(Outcome.FAIL, ADVISES), (Outcome.ERROR, BLOCKS), (Outcome.NOT_RUN, BLOCKS)]
)
def test_a_check_of_severity_warning_blocks_only_if_it_did_not_run(
    outcome: Outcome, severity: Severity
) -> None:
    assert the_finding(is_tested, checks=(a_check(outcome, severity="warning"),)).severity is severity


def test_a_check_names_its_column_unless_its_name_does() -> None:
    check = a_check(Outcome.FAIL, column="amount", name="nullValues")
    assert (
        the_finding(is_tested, checks=(check,)).message == "odcs check 'nullValues' on orders.amount failed"
    )
    check = a_check(Outcome.FAIL, name="not_null_orders_amount")
    assert the_finding(is_tested, checks=(check,)).message == "odcs check 'not_null_orders_amount' failed"


def test_checks_of_what_was_not_built_are_told_as_one() -> None:
    failed = some_artifacts(runs=[a_run(status="error", message="x")])
    checks = (a_check(Outcome.NOT_RUN), a_check(Outcome.ERROR, kind="nullValues"))
    finding = the_finding(is_tested, artifacts=failed, checks=checks)
    assert finding.message == "2 checks could not run, because what they check was not built"


# once


def written(origin: str, definition: Any, **changes: Any) -> Any:
    file, line = {"dbt": ("models/marts/orders.yml", 0), "soda": ("checks/orders.yml", 3)}.get(
        origin, ("contracts/orders.odcs.yaml", 9)
    )
    place = {"file": a_product().folder / file, "line": line, "key": f"{origin}:{changes.get('name')}"}
    return a_check(**{**place, "origin": origin, "definition": definition, **changes})


NO_NULLS = (
    written("dbt", {"test": "not_null"}, kind="not_null", column="amount", name="not_null_orders_amount"),
    written("soda", "checks for orders:\n- missing_count(amount) = 0", column="amount", name="All amounts are there"),
    written("odcs", {"metric": "nullValues", "mustBe": 0}, column="amount", name="Amounts"),
)  # fmt: skip


def test_a_rule_that_is_written_twice_is_advice_that_names_both_places() -> None:
    finding = the_finding(once, checks=NO_NULLS[:2])
    assert finding.severity is ADVISES
    assert finding.message == (
        "the SodaCL check 'All amounts are there' on orders.amount says the same as the dbt test "
        "'not_null_orders_amount' (products/orders/models/marts/orders.yml)"
    )
    assert finding.where == "products/orders/checks/orders.yml:3"
    assert (
        finding.hint == "write a rule once: delete this one, or the other if this one tells its readers more"
    )


def test_of_three_that_are_the_same_one_stays() -> None:
    findings = list(once(some_evidence(checks=NO_NULLS)))
    assert [finding.where for finding in findings] == [
        "products/orders/contracts/orders.odcs.yaml:9",
        "products/orders/checks/orders.yml:3",
    ]
    assert all("'not_null_orders_amount'" in finding.message for finding in findings)


def test_a_rule_that_follows_from_a_stricter_one_is_advice() -> None:
    loose = written(
        "soda", "checks for orders:\n- missing_percent(amount) < 5", name="Nearly all", column="amount"
    )
    finding = the_finding(once, checks=(loose, NO_NULLS[0]))
    assert "'Nearly all' on orders.amount follows from the dbt test" in finding.message


def test_a_limit_that_warns_beside_a_wider_one_that_refuses_is_no_repetition() -> None:
    warns = written("soda", "checks for orders:\n- missing_count(amount):\n    warn: when > 5", severity="warning",
                    name="a")  # fmt: skip
    refuses = written("soda", "checks for orders:\n- missing_count(amount) < 20", name="b")
    assert list(once(some_evidence(checks=(warns, refuses)))) == []
    warning = written(
        "dbt", {"test": "not_null"}, kind="not_null", column="amount", severity="warning", name="w"
    )
    finding = the_finding(once, checks=(warning, NO_NULLS[1]))
    assert finding.message.startswith("the dbt test 'w' on orders.amount says the same as the SodaCL check")


def test_what_is_derived_from_the_contract_repeats_no_rule() -> None:
    derived = written("contract", {"metric": "nullValues", "mustBe": 0}, column="amount", name="required")
    assert list(once(some_evidence(checks=(NO_NULLS[0], derived)))) == []


# traceable


def reading(sql: str, **changes: Any) -> Any:
    stg = a_relation("stg_orders", access="protected", columns=(a_column("order_id"), a_column("amount")))
    return some_artifacts(stg, a_relation(sql=sql, upstream=(stg.unique_id,), **changes))


def test_columns_that_can_be_traced_are_fine() -> None:
    sql = 'select order_id, amount from "orders"."orders"."stg_orders"'
    assert list(traceable(some_evidence(artifacts=reading(sql)))) == []


def test_a_table_that_is_read_past_ref_and_source_blocks() -> None:
    sql = 'select s.order_id, h.amount from "orders"."orders"."stg_orders" as s, hidden.things as h'
    finding = the_finding(traceable, artifacts=reading(sql))
    assert finding.severity is BLOCKS
    assert "hidden.things" in finding.message
    assert "is not a ref() or source() of the model" in finding.message
    assert finding.where == MODEL_FILE


@pytest.mark.parametrize("changes", [{"sql": "select from where"}, {"language": "python"}, {"sql": ""}])
def test_a_port_that_no_tool_can_read_is_advice(changes: dict[str, str]) -> None:
    finding = the_finding(traceable, artifacts=some_artifacts(a_relation(**changes)))
    assert finding.severity is ADVISES
    assert finding.message.startswith("orders: the origin of 2 columns is unknown (order_id: ")


def test_what_cannot_be_read_inside_the_product_is_nobody_s_business() -> None:
    inside = a_relation("py_orders", access="protected", language="python")
    assert list(traceable(with_models(inside, a_relation()))) == []


# consistent


def test_a_contradiction_between_contract_and_database_blocks() -> None:
    promise = a_promise(schema=[{"name": "orders", "properties": [{"name": "total"}]}])
    finding = the_finding(consistent, promises=[promise])
    assert "promises the column orders.total" in finding.message
    assert (finding.severity, finding.where) == (BLOCKS, f"{CONTRACT_FILE}:8")


def test_a_contract_that_lint_finds_at_fault_blocks() -> None:
    promise = a_promise(slaProperties=[{"property": "latency", "value": 3, "unit": "lightyears"}])
    finding = the_finding(consistent, contracts=some_contracts(promise))
    assert (
        finding.message == "the contract is at fault: latency: 'lightyears' is no unit of time [wrong-unit]"
    )
    assert finding.severity is BLOCKS


def test_columns_are_linked_as_far_as_the_workspace_asks_for() -> None:
    definition = {"business_definition": "https://wiki.example.org/order"}
    port = a_relation(columns=(a_column(meta=definition), a_column("amount")))
    artifacts = some_artifacts(port)
    evidence = {"artifacts": artifacts, "contracts": some_contracts(artifacts=artifacts)}
    assert list(linked(some_evidence(**evidence, linked_percent=50))) == []
    finding = the_finding(linked, **evidence, linked_percent=51)
    assert finding.severity is BLOCKS
    assert (
        "50 % of 2 columns have an authoritative definition, the workspace asks for 51 %" in finding.message
    )


def test_what_is_missing_is_advice_where_the_workspace_asks_for_less() -> None:
    port = a_relation(columns=(a_column(), a_column("amount", description="")))
    artifacts = some_artifacts(port)
    evidence = {"artifacts": artifacts, "contracts": some_contracts(artifacts=artifacts)}
    assert the_finding(documented, **evidence).severity is BLOCKS
    assert the_finding(documented, **evidence, documented_percent=60).severity is Severity.ADVISES
    assert the_finding(documented, **evidence, documented_percent=70).severity is BLOCKS


# compatible


def drafted(version: str = "1.0.0", **promise: Any) -> Contract:
    (contract,) = some_contracts(a_promise(version=version, **promise))
    return contract


def judged(contract: Contract, *before: Any, **evidence: Any) -> list[Finding]:
    return list(
        compatible(some_evidence(contracts=(contract,), previous={contract.name: before}, **evidence))
    )


FIRST = drafted()
DESCRIBED = {"description": {"purpose": "Other words."}}
PROMISED_MORE = {"slaProperties": [{"property": "frequency", "value": 1}]}


def narrower(version: str) -> Contract:
    """Return the contract with a column less."""
    (contract,) = some_contracts(
        a_promise(version=version), artifacts=some_artifacts(a_relation(columns=(a_column(),)))
    )
    return contract


def test_a_first_version_breaks_nothing() -> None:
    assert judged(drafted("3.1.4")) == []


def test_a_published_version_that_did_not_change_is_fine() -> None:
    assert judged(drafted(), published("1.0.0", FIRST.data)) == []


@pytest.mark.parametrize(
    ("contract", "wanted"),
    [(drafted(**DESCRIBED), "1.0.1"), (drafted(**PROMISED_MORE), "1.1.0"), (narrower("1.0.0"), "2.0.0")],
)
def test_a_published_version_never_changes(contract: Contract, wanted: str) -> None:
    (finding,) = judged(contract, published("1.0.0", FIRST.data))
    assert finding.message.startswith("orders 1.0.0 is published, and the contract has changed: ")
    assert (finding.severity, finding.where) == (BLOCKS, f"{CONTRACT_FILE}:4")
    assert finding.hint == f"set `version: {wanted}`, as does: factory contract bump orders"


def test_the_wanted_version_lies_above_all_that_is_published() -> None:
    before = [published("1.3.0", FIRST.data), published("1.0.0", FIRST.data)]
    (finding,) = judged(drafted("1.0.0", **DESCRIBED), *before)
    assert finding.hint == "set `version: 1.3.1`, as does: factory contract bump orders"


@pytest.mark.parametrize(
    ("contract", "fine"),
    [
        (drafted("1.0.1", **DESCRIBED), True),
        (drafted("1.0.1", **PROMISED_MORE), False),
        (drafted("1.1.0", **PROMISED_MORE), True),
        (narrower("1.1.0"), False),
        (narrower("2.0.0"), True),
        (drafted("1.0.1"), True),
    ],
)
def test_a_new_version_is_as_large_a_step_as_the_change(contract: Contract, fine: bool) -> None:
    findings = judged(contract, published("1.0.0", FIRST.data))
    assert (findings == []) is fine
    assert all("is too small for what changed" in finding.message for finding in findings)


def test_a_version_below_what_is_published_is_refused() -> None:
    (finding,) = judged(drafted("1.0.1"), published("1.2.0", FIRST.data))
    assert finding.message == "orders 1.0.1 is older than 1.2.0, which is published"
    assert finding.hint == "set a version above 1.2.0"


def test_an_older_major_version_may_be_mended_beside_a_newer_one() -> None:
    before = [published("2.0.0", narrower("2.0.0").data), published("1.0.0", FIRST.data)]
    assert judged(drafted("1.0.1", **DESCRIBED), *before) == []


def test_a_change_is_told_in_words_and_only_the_first_three() -> None:
    contract = drafted(**DESCRIBED, tags=["x"], roles=[{"role": "r"}], price={"priceAmount": 1})
    (finding,) = judged(contract, published("1.0.0", FIRST.data))
    assert finding.message.count(";") == 3
    assert " more" in finding.message


def test_a_difference_that_only_a_tool_can_have_made_asks_for_no_version() -> None:
    changed = drafted(**DESCRIBED)
    by_tool = published("1.0.0", FIRST.data, tools={"sqlglot": "2"})
    assert judged(changed, by_tool) == []
    assert comes_from_tools(changed, by_tool, some_evidence())
    for by_hand in (replace(by_tool, definitions="otherwise"), replace(by_tool, tools={"sqlglot": "1"})):
        assert len(judged(changed, by_hand)) == 1


def test_what_the_product_s_file_says_is_published_under_its_version_too() -> None:
    product = a_product()
    before = draft_product(product, [FIRST], {})
    assert judged(FIRST, previous_product=before) == []
    (finding,) = judged(FIRST, previous_product={**before, "tags": ["old"]})
    assert finding.message == "orders 1.0.0 is published, and its tags changed since"
    assert finding.where == "products/orders/product.odps.yaml:1"
    assert finding.hint == "set the contract's version to 1.0.1"


def test_the_ports_of_a_product_follow_its_contracts() -> None:
    before = draft_product(a_product(), [FIRST], {})
    assert (
        judged(FIRST, previous_product={**before, "inputPorts": [{"name": "other"}], "outputPorts": []}) == []
    )


# settled, connected


def test_marks_of_a_conflict_block() -> None:
    finding = the_finding(settled, conflicts=(("docs/runbook.md", 7),))
    assert (finding.severity, finding.where) == (BLOCKS, "products/orders/docs/runbook.md:7")


@pytest.mark.parametrize(
    ("archetype", "advised"), [("source-aligned", 0), ("aggregate", 1), ("consumer-aligned", 1)]
)
def test_a_derived_product_reads_others(archetype: str, advised: int) -> None:
    product = replace(a_product(), archetype=archetype)
    found = list(connected(some_evidence(product=product)))
    assert len(found) == advised
    assert all(finding.severity is ADVISES for finding in found)
    assert list(connected(some_evidence(product=product, crossings=(a_crossing(),)))) == []
