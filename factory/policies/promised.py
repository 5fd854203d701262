"""What the product promises, and to whom."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity


def promised(evidence: Evidence) -> Iterator[Finding]:
    """Every public model is an output port: covered by one contract, with an enforced dbt contract."""
    if not evidence.contracts:
        yield Finding(
            "promised",
            Severity.BLOCKS,
            "the product has no contract, so it promises nothing",
            evidence.place("contracts"),
            f"write contracts/{evidence.product.name}.odcs.yaml",
        )
        return
    covered: dict[str, str] = {}
    for contract in evidence.contracts:
        if not contract.tables and not contract.conflicts:
            place = evidence.place(f"contracts/{contract.promise.document.path.name}")
            hint = "give a model `access: public` and an enforced contract"
            yield Finding("promised", Severity.BLOCKS, "the contract covers no public model", place, hint)
        for table in contract.tables:
            name = f"{contract.name} {contract.major}.x"
            if table in covered and covered[table] != name:
                message = f"{table.rsplit('.', 1)[-1]} is in two contracts: {covered[table]} and {name}"
                yield Finding("promised", Severity.BLOCKS, message, evidence.place("contracts"))
            covered[table] = name
    for model in evidence.models:
        where = evidence.place(model.file)
        if model.is_port and model.unique_id not in covered:
            hint = "name it under `schema` in a contract, or make it private"
            message = f"the public model {model.name} is in no contract"
            yield Finding("promised", Severity.BLOCKS, message, where, hint)
        elif model.is_port and not model.enforced:
            hint = "set `contract: {enforced: true}` for it"
            message = f"the dbt contract of the public model {model.name} is not enforced"
            yield Finding("promised", Severity.BLOCKS, message, where, hint)
