"""The dimensions of data quality: the seven of the EDM Council, as ODCS has them."""

from __future__ import annotations

#: By the short names that the text of ODCS permits.
DIMENSION_NAMES = {
    "ac": "accuracy", "cp": "completeness", "cf": "conformity", "cs": "consistency", "cv": "coverage",
    "tm": "timeliness", "uq": "uniqueness",
}  # fmt: skip
DIMENSIONS = tuple(DIMENSION_NAMES.values())
