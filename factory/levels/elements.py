"""The elements of the quality of service: what can be promised of data, and measured.

The nineteen that are built in are those of the Data QoS table (Jean-Georges Perrin and Eric Broda, Implementing
Data Mesh, O'Reilly 2024). Like the periodic table of the chemists, it has groups from left to right (R data at
rest, M data in motion, P performance, L lifecycle, B behaviour, T time) and periods from top to bottom. Seven of
the elements are dimensions of data quality, which checks measure; the others are indicators of service levels,
which what the line sees measures. A team adds its own in `[tool.factory.elements.NAME]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from factory.odcs.lint.terms import service_level
from factory.workspace import Settings

DATA_QUALITY, SERVICE_LEVEL = "DQ", "SLI"
AT_LEAST, AT_MOST = "at_least", "at_most"

#: The groups of the table, left to right.
GROUPS = {
    "R": "data at rest", "M": "data in motion", "P": "performance", "L": "lifecycle", "B": "behaviour", "T": "time",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the Data QoS table.

    Attributes:
        abbreviation: its letters in the table.
        name: for people.
        category: `DQ` for a dimension of data quality, `SLI` for an indicator of service levels.
        group: its column in the table, one letter.
        order: its place in the group, from 1.
        period: its row in the table, from 1.
        description: what it says, one sentence.
        properties: the names in `slaProperties` that promise something of it.
        direction: whether a measured value has to be `at_least` or `at_most` the promised one; empty where it is
            compared otherwise, as dates are.
        check: the name of the check whose value measures it; for a team's own elements.
    """

    abbreviation: str
    name: str
    category: str
    group: str
    order: int
    period: int
    description: str
    properties: tuple[str, ...] = ()
    direction: str = ""
    check: str = ""

    @property
    def place(self) -> str:
        """Its group and place: `R1`."""
        return f"{self.group}{self.order}"


_BUILT_IN = """
Av | Availability        | SLI | R1 | 1 | at_least | availability                | The table opens when somebody reads it.
Cv | Coverage            | DQ  | R2 | 2 |          |                             | All records that should be there are there.
Cf | Conformity          | DQ  | R3 | 3 |          |                             | Values have the form that was agreed.
Cp | Completeness        | DQ  | R4 | 4 |          |                             | Values that are needed are there.
Ac | Accuracy            | DQ  | M1 | 2 |          |                             | Values are as in the real world.
Cs | Consistency         | DQ  | M2 | 3 |          |                             | Data agrees with other data.
Uq | Uniqueness          | DQ  | M3 | 4 |          |                             | Nothing is there twice.
Th | Throughput          | SLI | P1 | 3 | at_least | throughput                  | How fast the data can be read.
Er | Error rate          | SLI | P2 | 4 | at_most  | errorRate                   | How often a run fails over a period.
Ga | General availability | SLI | L1 | 2 |         | generalAvailability         | From when on the data can be used.
Es | End of support      | SLI | L2 | 3 |          | endOfSupport                | Until when faults are mended.
El | End of life         | SLI | L3 | 4 |          | endOfLife                   | Until when the data can be read.
Re | Retention           | SLI | B1 | 2 | at_most  | retention                   | For how long the data is kept.
Fy | Frequency of update | SLI | B2 | 3 | at_most  | frequency, timeOfAvailability | How often, and at what time, the data is updated.
Ly | Latency             | SLI | B3 | 4 | at_most  | latency                     | The time from when the data arose to when it can be read.
Td | Time to detect      | SLI | T1 | 1 | at_most  | timeToDetect                | How fast a fault is found.
Tn | Time to notify      | SLI | T2 | 2 | at_most  | timeToNotify                | How fast people hear of a fault.
Tr | Time to repair      | SLI | T3 | 3 | at_most  | timeToRepair                | How fast a fault is mended.
Tm | Timeliness          | DQ  | T4 | 4 | at_most  | timeliness, freshness       | How old the newest data is now.
"""  # noqa: E501


def _built_in(line: str) -> Element:
    letters, name, category, place, period, direction, properties, description = (
        part.strip() for part in line.split("|")
    )
    return Element(
        abbreviation=letters,
        name=name,
        category=category,
        group=place[0],
        order=int(place[1:]),
        period=int(period),
        description=description,
        properties=tuple(part.strip() for part in properties.split(",") if part.strip()),
        direction=direction,
    )


#: The nineteen elements of the Data QoS table.
ELEMENTS = tuple(_built_in(line) for line in _BUILT_IN.strip().splitlines())


def elements_of(settings: Settings) -> tuple[Element, ...]:
    """Return the elements of a workspace: the nineteen, and those of `[tool.factory.elements]` in their order.

    One with the abbreviation of a built-in element takes its place.
    """
    own = tuple(
        Element(
            abbreviation=str(values["abbreviation"]),
            name=str(values.get("name") or name.replace("_", " ").capitalize()),
            category=str(values["category"]),
            group=str(values["group"]),
            order=int(values["order"]),
            period=int(values["period"]),
            description=str(values.get("description") or ""),
            properties=(str(values.get("property") or name),),
            direction=str(values.get("direction") or AT_LEAST),
            check=str(values.get("check") or ""),
        )
        for name, values in settings.elements.items()
    )
    taken = {element.abbreviation for element in own}
    return (*(element for element in ELEMENTS if element.abbreviation not in taken), *own)


def canonical(name: str, elements: Iterable[Element] = ELEMENTS) -> str:
    """Return the usual name of a service level, whatever its case and whether it is the short one; or the name."""
    if not name:
        return name
    known = service_level(name)
    if known != name:
        return known
    folded = name.lower()
    for element in elements:
        for own in element.properties:
            if own.lower() == folded:
                return own
        if element.abbreviation.lower() == folded and element.properties:
            return element.properties[0]
    return name


def element_for(name: str, elements: Iterable[Element] = ELEMENTS) -> Element | None:
    """Return the element that a service level promises something of, or None."""
    elements = tuple(elements)
    known = canonical(name, elements)
    found = [element for element in elements if known in element.properties]
    if found:
        return found[-1]
    return next((e for e in elements if known and e.name.lower() == known.lower()), None)
