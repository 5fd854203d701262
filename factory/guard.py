"""What a run knows of secrets, put before all that it publishes: the veil over what is made, and the gate at the end.

Takes a workspace, the run's environment variables and `--vars`; gives values without secrets, or a refusal that names
the place; reads the products' files for the names of variables, and `dbt_project.yml` for their values.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from factory.certify import Certificate
from factory.changes import named_variables
from factory.contract import Contract
from factory.documents import parse_yaml, scan_yaml
from factory.errors import FactoryError, Problems
from factory.evidence import Evidence
from factory.lineage import Lineage
from factory.products import Product
from factory.publish import lineage_of
from factory.quality import CheckResult
from factory.results import ProductResult
from factory.secrets import Gate, Place, Variable, Veil, refuse, variables_of
from factory.workspace import Workspace


class Guard:
    """Keeps the values of a run's variables out of what it publishes."""

    def __init__(self, variables: Iterable[Variable] = (), allowed: Iterable[str] = ()) -> None:
        variables = tuple(variables)
        self.veil = Veil(variables)
        self.gate = Gate(variables, frozenset(allowed))

    def lineage(self, lineage: Lineage) -> Lineage:
        """Return lineage whose expressions hold no value of a variable."""
        sql, text = self.veil.sql, self.veil.text
        models = {}
        for unique_id, trace in lineage.models.items():
            columns = tuple(
                c._replace(expression=sql(c.expression), unknown=text(c.unknown)) for c in trace.columns
            )
            influences = tuple(i._replace(expression=sql(i.expression)) for i in trace.influences)
            models[unique_id] = replace(trace, columns=columns, influences=influences)
        return replace(lineage, models=models)

    def contracts(self, contracts: Iterable[Contract]) -> tuple[Contract, ...]:
        """Return drafted contracts, without values of variables in what is made from SQL."""
        return tuple(replace(contract, data=self.veil.document(contract.data)) for contract in contracts)

    def text(self, text: str) -> str:
        """Return what a tool said, without secrets: those of the run by their names, all others masked."""
        return self.gate.masked(self.veil.text(text))

    def result(self, result: ProductResult) -> ProductResult:
        """Return a result without secrets in its reasons and its advice."""
        return replace(
            result,
            reasons=tuple(map(self.text, result.reasons)),
            advice=tuple(map(self.text, result.advice)),
        )

    def checks(self, checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """Return results of checks without secrets in what they say, and in what the rules were rendered to."""
        return tuple(
            replace(check, reason=self.text(check.reason)) if check.reason else check
            for check in self.veil.over(tuple(checks))
        )

    def refuse(self, evidence: Evidence, certificate: Certificate) -> None:
        """Refuse a product if anything that would be published of it holds a secret.

        Raises:
            LeakError: something does; each place is named.

        """
        leaks = self.gate.look(_files(evidence))
        told = {leak.fingerprint for leak in leaks}  # where people wrote it says more than where it ends up
        made = self.gate.look(_places(evidence, certificate))
        refuse((*leaks, *(leak for leak in made if leak.fingerprint not in told)))

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """Let errors go by without the secrets of the run: what dbt says may quote SQL."""
        try:
            yield
        except FactoryError as error:
            self._silence(error)
            raise

    def _silence(self, error: FactoryError) -> None:
        for each in error.problems if isinstance(error, Problems) else ():
            self._silence(each)
        error.message, error.hint = self.text(error.message), self.text(error.hint)
        error.args = (error.message,)


def guard_of(
    ws: Workspace, products: Iterable[Product], environment: Mapping[str, str], variables: str = ""
) -> Guard:
    """Return the guard of a run: over its environment variables, `--vars`, the project's variables and the profile.

    Args:
        ws: the workspace.
        products: those whose files name environment variables.
        environment: the environment variables of the command.
        variables: dbt's `--vars`, as YAML; what is no YAML is told by whoever reads it first.

    """
    products = tuple(products)
    channels = [u.removeprefix("env:") for u in ws.settings.channels.values() if u.startswith("env:")]
    values: dict[str, Any] = {}
    for folder in (ws.root, *(product.folder for product in products)):
        values |= _project_variables(folder / "dbt_project.yml")
    with contextlib.suppress(FactoryError):
        given = parse_yaml(variables or "{}", Path("--vars")).data
        values |= given if isinstance(given, Mapping) else {}
    return Guard(
        variables_of(
            environment,
            {*named_variables(ws, products), *channels},
            values,
            ws.settings.targets.get(ws.target),
            ws.settings.secrets_allowed,
        ),
        ws.settings.secrets_allowed,
    )


def _project_variables(file: Path) -> dict[str, Any]:
    """Return the variables of a project's file, if it can be read; what is wrong with it, dbt tells."""
    if not file.is_file():
        return {}
    documents = scan_yaml(file).documents
    data = documents[0].data if documents else None
    found = data.get("vars") if isinstance(data, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def _files(evidence: Evidence) -> Iterator[Place]:
    """Yield what people wrote and what is published as they wrote it: the product's descriptor, and its contracts."""
    product = evidence.product
    documents = {each.promise.document.path: each.promise.document for each in evidence.contracts}
    for document in (product.document, *documents.values()):
        file = document.path
        where = file.relative_to(product.folder) if file.is_relative_to(product.folder) else file
        text = ""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = file.read_text("utf-8")
        yield Place(f"{evidence.folder}/{where.as_posix()}", text, document.data)


def _places(evidence: Evidence, certificate: Certificate) -> Iterator[Place]:
    for contract in evidence.contracts:
        name = f"contract {contract.name} {contract.version}"
        yield Place(name, data=contract.data)
        yield Place(f"lineage of {name}", data=lineage_of(contract, evidence.lineage))
    words = [finding.words() for finding in (*certificate.advice, *certificate.reasons)]
    yield Place("certificate", data={"advice": words})
