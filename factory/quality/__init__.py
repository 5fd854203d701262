"""Stage 6, quality: run the rules that dbt has not run, and put all results into one shape.

Takes a product, its rules and dbt's results; gives a `CheckResult` per rule; reads the DuckDB file that dbt
built. SodaCL is executed by soda-core, ODCS rules by SQL of our own, dbt's tests are not run twice.
"""

from factory.quality.results import CheckResult, Outcome
from factory.quality.run import Checked, Past, run_checks

__all__ = ["CheckResult", "Checked", "Outcome", "Past", "run_checks"]
