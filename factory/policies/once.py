"""That a rule is written in one place, and one language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from factory.contract import Rule
from factory.contract.meaning import Meaning, compared, meaning_of
from factory.evidence import Evidence, Finding, Severity

# Who keeps a rule that is written twice: dbt's tests make fields of the contract, too.
_WRITTEN = {"dbt": "dbt test", "odcs": "contract's rule", "soda": "SodaCL check"}


def once(evidence: Evidence) -> Iterator[Finding]:
    """Every rule is written once: as a dbt test, in SodaCL or in the contract.

    Two rules that measure the same of a table and accept the same are one rule; so is one that follows from a
    stricter rule. A limit that warns beside a wider one that refuses is no repetition, and neither is what is derived
    from the contract. This advises, and refuses nothing.
    """
    told: set[str] = set()
    for known in _alike(evidence):
        for one, other in combinations(known, 2):
            pair = _superfluous(one, other)
            if pair is None or pair[1].rule.key in told or pair[0].rule.key in told:
                continue
            told.add(pair[1].rule.key)
            yield _finding(*pair, evidence)


@dataclass(frozen=True, slots=True)
class _Known:
    rule: Rule
    meaning: Meaning


def _alike(evidence: Evidence) -> list[list[_Known]]:
    """Return the rules that may say the same: of the same columns of a table, and all about duplicates in it."""
    found: dict[tuple[str, tuple[str, ...]], list[_Known]] = {}
    rules = {result.rule.key: result.rule for result in evidence.checks if result.rule.origin in _WRITTEN}
    for rule in sorted(rules.values(), key=lambda rule: (list(_WRITTEN).index(rule.origin), rule.key)):
        meaning = meaning_of(rule)
        if meaning is not None:
            columns = () if meaning.metric == "duplicateValues" else meaning.columns
            found.setdefault((meaning.table, columns), []).append(_Known(rule, meaning))
    return list(found.values())


def _superfluous(one: _Known, other: _Known) -> tuple[_Known, _Known, bool] | None:
    """Return which of two rules stays, which may go, and whether they are the same; None where both are needed.

    Of two that are the same, the one that refuses stays, else the first, which is dbt's.
    """
    relation = compared(one.meaning, other.meaning)
    kept, gone = (one, other) if relation in ("same", "stricter") else (other, one)
    if not relation:
        return None
    if kept.rule.severity != "error" and gone.rule.severity == "error":
        # It warns early, the other refuses later: both are needed.
        return (gone, kept, True) if relation == "same" else None
    return kept, gone, relation == "same"


def _finding(kept: _Known, gone: _Known, same: bool, evidence: Evidence) -> Finding:
    rule, other = gone.rule, kept.rule
    spot = ".".join(part for part in (rule.table, ", ".join(gone.meaning.columns)) if part)
    about = f" on {spot}" if spot.lower() not in rule.name.lower() else ""
    place = evidence.place_of(other)
    words = "says the same as" if same else "follows from"
    message = (
        f"the {_WRITTEN[rule.origin]} {rule.name!r}{about} {words} the {_WRITTEN[other.origin]} {other.name!r}"
        f" ({place})"
    )
    hint = "write a rule once: delete this one, or the other if this one tells its readers more"
    return Finding("once", Severity.ADVISES, message, evidence.place_of(rule), hint)
