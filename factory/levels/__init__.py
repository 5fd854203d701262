"""Service levels: what is promised of a product beside its data's quality, what was measured, and the verdict.

Takes contracts and what the line saw of a product; gives a `Level` per promise and the state of each element of the
Data QoS table. Reads and writes nothing.
"""

from factory.levels.elements import ELEMENTS, GROUPS, Element, element_for, elements_of
from factory.levels.facts import Facts, IncidentTimes, RunFact, run_of, runs_of
from factory.levels.measure import indicators, measure
from factory.levels.purge import Purge, purges
from factory.levels.schedule import Schedule, schedule_of
from factory.levels.states import ElementState, State, element_states
from factory.levels.targets import Target, contract_key, targets_of, time_columns
from factory.levels.values import Level, Verdict

__all__ = [
    "ELEMENTS",
    "GROUPS",
    "Element",
    "ElementState",
    "Facts",
    "IncidentTimes",
    "Level",
    "Purge",
    "RunFact",
    "Schedule",
    "State",
    "Target",
    "Verdict",
    "contract_key",
    "element_for",
    "element_states",
    "elements_of",
    "indicators",
    "measure",
    "purges",
    "run_of",
    "runs_of",
    "schedule_of",
    "targets_of",
    "time_columns",
]
