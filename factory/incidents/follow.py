"""What becomes of a product's incidents by one more run.

Takes the open incidents and what the run found; gives the `Steps`. Pure, and the same run twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from factory.incidents.values import Incident, Trouble, worst

GOOD_AGAIN = "the check is good again"
GONE = "the check is gone"
NO_PRODUCT = "the product is gone"
SAME = "the same as"


@dataclass(frozen=True, slots=True)
class Steps:
    """What a run changes.

    Attributes:
        opened: troubles that are new.
        still: incidents whose trouble is still there.
        worsened: those of them that were a warning and are an error now, with what was found.
        disproved: those of them that somebody said are repaired.
        closed: incidents that are over, and why.
        waiting: incidents that this run did not look at.
    """

    opened: tuple[Trouble, ...] = ()
    still: tuple[Incident, ...] = ()
    worsened: tuple[tuple[Incident, Trouble], ...] = ()
    disproved: tuple[Incident, ...] = ()
    closed: tuple[tuple[Incident, str], ...] = ()
    waiting: tuple[Incident, ...] = ()


def follow(
    open_incidents: Iterable[Incident],
    troubles: Iterable[Trouble],
    checked_keys: Collection[str],
    known_keys: Collection[str] | None = None,
) -> Steps:
    """Return what a run changes for one product.

    An incident stays the same while its key is bad. It closes when its key was looked at and is good, or when the
    product has no such check any more; a key that was not looked at proves nothing.

    Args:
        open_incidents: the product's incidents that are open.
        troubles: what is bad now; a check that could not run is bad.
        checked_keys: the keys that the run looked at.
        known_keys: every key that the product has now, or None where that is not known. Keys that start with `run:`
            are always known.

    """
    bad = _by_key(troubles)
    standing: dict[str, Incident] = {}
    still, worsened, disproved, closed, waiting = [], [], [], [], []
    for incident in sorted(open_incidents, key=lambda i: (i.opened, i.id)):
        first = standing.setdefault(incident.key, incident)
        trouble = bad.get(incident.key)
        if first is not incident:  # two clones of the workspace opened one each
            closed.append((incident, f"{SAME} {first.id}"))
        elif trouble is not None:
            still.append(incident)
            if trouble.severity == "error" and incident.severity != "error":
                worsened.append((incident, trouble))
            if incident.claim:
                disproved.append(incident)
        elif incident.key in checked_keys:
            closed.append((incident, GOOD_AGAIN))
        elif _is_gone(incident.key, known_keys):
            closed.append((incident, GONE))
        else:
            waiting.append(incident)
    opened = tuple(trouble for key, trouble in bad.items() if key not in standing)
    return Steps(opened, tuple(still), tuple(worsened), tuple(disproved), tuple(closed), tuple(waiting))


def _is_gone(key: str, known_keys: Collection[str] | None) -> bool:
    return known_keys is not None and key not in known_keys and not key.startswith("run:")


def _by_key(troubles: Iterable[Trouble]) -> dict[str, Trouble]:
    """Return troubles by key; of several with one key the first, with the worst severity of them."""
    found: dict[str, Trouble] = {}
    for trouble in troubles:
        other = found.setdefault(trouble.key, trouble)
        if other is not trouble:
            found[trouble.key] = replace(other, severity=worst((other.severity, trouble.severity)))
    return found
