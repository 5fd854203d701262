"""ODCS 3.0 and 3.1 as ODCS 3.2: what was renamed or deprecated, and nothing else.

Takes a document of ODCS 3; gives the blocks of an ODCS 3.2 contract. Old names of rules, flags as bounds and
types of servers are seen to where blocks are fitted.
"""

from __future__ import annotations

from typing import Any

from factory.odcs.convert.notes import Block
from factory.odcs.convert.v2 import level, member


def upgraded(data: dict[str, Any]) -> Block:
    """Return the contract's block: the team as an object, the default element on each service level."""
    block = Block((), data)
    block.update(data)
    block["apiVersion"] = "v3.2.0"
    team = data.get("team")
    if isinstance(team, list):
        inner = Block(("team",), team)
        inner["members"] = [
            member(item, ("team", number)) if isinstance(item, dict) else item
            for number, item in enumerate(team)
        ]
        inner.origins["members"] = ("team",)
        block["team"] = inner
    levels = data.get("slaProperties")
    default = data.get("slaDefaultElement")
    if (
        isinstance(levels, list)
        and isinstance(default, str)
        and any(isinstance(each, dict) for each in levels)
    ):
        del block["slaDefaultElement"]
        block["slaProperties"] = [
            level(item, ("slaProperties", number), default, ("slaDefaultElement",))
            if isinstance(item, dict)
            else item
            for number, item in enumerate(levels)
        ]
    return block
