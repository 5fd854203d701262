"""Stage 7, policies: what a product must be, a claim per file.

Takes the evidence; gives findings; touches nothing. A policy's docstring is its documentation, and its
report reads as a sentence. To add one, write a file and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from factory.evidence import Evidence, Finding
from factory.policies.alive import alive
from factory.policies.announced import announced
from factory.policies.bounded import bounded
from factory.policies.built import built
from factory.policies.compatible import compatible
from factory.policies.connected import connected
from factory.policies.consistent import consistent
from factory.policies.documented import documented
from factory.policies.historised import historised
from factory.policies.kept import kept
from factory.policies.linked import linked
from factory.policies.once import once
from factory.policies.owned import owned
from factory.policies.promised import promised
from factory.policies.settled import settled
from factory.policies.sourced import sourced
from factory.policies.tested import tested
from factory.policies.traceable import traceable

Policy = Callable[[Evidence], Iterator[Finding]]

#: Every policy, in the order in which they are judged and told.
POLICIES: tuple[Policy, ...] = (
    settled,
    owned,
    promised,
    bounded,
    alive,
    connected,
    sourced,
    built,
    historised,
    documented,
    linked,
    tested,
    once,
    traceable,
    consistent,
    compatible,
    announced,
    kept,
)
