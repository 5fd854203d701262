"""Contracts of other standards as ODCS 3.2.0: ODCS 2.2, 3.0 and 3.1, and the Data Contract Specification.

Takes a document; gives a `Conversion`: a contract that the standard's schema accepts, and notes of all that has
no field of its own there. Nothing is lost in silence: it is carried, kept as a custom property, or noted.
Reads no other file and writes none.
"""

from __future__ import annotations

import re
from typing import Any

from factory.documents import Document
from factory.errors import ContractError
from factory.odcs.convert.notes import Block, Conversion, Note, Notebook

__all__ = ["Conversion", "Note", "convert", "dialect_of"]

_DCS_VERSION = re.compile(r"0\.9(\.[0-3])?|1\.[0-2](\.\d+)?")
_HINT = "files of ODCS 2.2 or 3, and of the Data Contract Specification 0.9.0 to 1.2.1, are read"


def dialect_of(data: Any) -> str:
    """Return what a document is written in: "odcs-2.2", "dcs", "odcs-3", or "" for none of them."""
    from factory.odcs.convert.v2 import LISTS, MARKS

    if isinstance(data, list):
        bare = bool(data) and all(isinstance(item, dict) for item in data)
        return "odcs-2.2" if bare and any(all(key in item for item in data) for key in LISTS) else ""
    if not isinstance(data, dict):
        return ""
    if "dataContractSpecification" in data:
        return "dcs"
    version = str(data.get("apiVersion") or "").lstrip("v")
    contract = data.get("kind") == "DataContract"
    if version:
        marked = contract or any(mark in data for mark in (*MARKS, "schema"))
        return {"2": "odcs-2.2", "3": "odcs-3"}.get(version.split(".")[0], "") if marked else ""
    if isinstance(data.get("info"), dict) and isinstance(data.get("models"), dict):
        return "dcs"
    if any(mark in data for mark in MARKS):
        return "odcs-2.2"
    if contract:
        return "odcs-3"
    return "odcs-2.2" if isinstance(data.get("slaProperties"), list) else ""


def convert(document: Document) -> Conversion:
    """Return a contract in ODCS 3.2.0, whichever of the known standards it is written in.

    Raises:
        ContractError: the document is no contract, or of a version that nobody knows.

    """
    from factory.odcs.convert.fit import Fitter

    dialect = dialect_of(document.data)
    label = _label(document, dialect)
    notes = Notebook(document)
    block = _read(document, dialect, notes)
    _fundamentals(block, notes)
    try:
        data = Fitter(notes, ordered=dialect != "odcs-3").contract(block)
    except RecursionError as error:
        raise ContractError("the contract is nested too deeply", where=document.path, line=1) from error
    return Conversion(label, data, notes.sorted())


def _read(document: Document, dialect: str, notes: Notebook) -> Block:
    data = document.data
    if dialect == "dcs":
        from factory.odcs.convert.dcs import Reader as Specification

        return Specification(document, notes).contract()
    if dialect == "odcs-2.2" or _is_mixed(data):
        from factory.odcs.convert.v2 import Reader

        return Reader(notes).contract(data)
    from factory.odcs.convert.upgrade import upgraded

    return upgraded(data)


def _is_mixed(data: Any) -> bool:
    """Return whether a document that says it is ODCS 3 has names of ODCS 2.2 at its top."""
    return any(
        name in data for name in ("dataset", "stakeholders", "slaDefaultColumn", "quantumName", "uuid")
    )


def _label(document: Document, dialect: str) -> str:
    """Return the standard's name and version.

    Raises:
        ContractError: the document is no contract, or of a version that nobody knows.

    """
    data, where = document.data, document.path
    if dialect == "dcs":
        version = str(data.get("dataContractSpecification") or "")
        if version and not _DCS_VERSION.fullmatch(version):
            raise ContractError(
                f"there is no Data Contract Specification {version}",
                where=where,
                line=document.line("dataContractSpecification"),
                hint=_HINT,
            )
        return f"Data Contract Specification {version}".strip()
    told = str(data.get("apiVersion") or "") if isinstance(data, dict) else ""
    known = re.fullmatch(r"v?(2\.\d+(\.\d+)?|3\.[0-2](\.\d+)?)", told)
    if not dialect or (told and not known):
        is_contract = bool(told) and (bool(dialect) or data.get("kind") == "DataContract")
        message = f"there is no ODCS {told}" if is_contract else "the file is no data contract that is known"
        line = document.line("apiVersion") if is_contract else 1
        raise ContractError(message, where=where, line=line, hint=_HINT)
    if not told:
        return "ODCS 2.2" if dialect == "odcs-2.2" else "ODCS 3"
    mixed = dialect == "odcs-3" and _is_mixed(data)
    return f"ODCS {told.lstrip('v')}" + (" with names of 2.2" if mixed else "")


def _fundamentals(block: Block, notes: Notebook) -> None:
    """Fill in what every contract needs and this one does not say."""
    block["apiVersion"], block["kind"] = "v3.2.0", "DataContract"
    file = notes.document.path.name
    stem = re.sub(r"(\.(odcs|datacontract))?\.(ya?ml|json)$", "", file, flags=re.IGNORECASE) or "contract"
    for name, value in (("id", stem), ("version", "0.0.0"), ("status", "draft")):
        found = block.get(name)
        if isinstance(found, dict | list):
            block.extras.append((name, block.pop(name), block.origin(name)))
            found = None
        if found is None or (found == "" and name != "status"):
            block[name] = value
            notes.tell((), f"{name}: none is told; {value} is written")
