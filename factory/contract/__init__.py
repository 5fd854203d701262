"""Stage 5, contract: what a product promises, as an ODCS 3.2.0 document.

Takes a product, its hand-kept promises, dbt's artifacts and the lineage; gives a `Contract` per promise, and
the differences between two contracts; reads `contracts/` and `checks/`.
"""

from factory.contract.draft import Conflict, Contract, draft_contracts
from factory.contract.product import draft_product, product_version
from factory.contract.promises import Promise, read_promises
from factory.contract.rules import Rule, gather_rules
from factory.contract.sodacl import read_checks
from factory.odcs.compare import Change, bumped, compare, is_enough, severity_of, version_key

__all__ = [
    "Change",
    "Conflict",
    "Contract",
    "Promise",
    "Rule",
    "bumped",
    "compare",
    "draft_contracts",
    "draft_product",
    "gather_rules",
    "is_enough",
    "product_version",
    "read_checks",
    "read_promises",
    "severity_of",
    "version_key",
]
