"""Write a contract in the languages of other tools: SodaCL, and the YAML of dbt.

Takes an ODCS document; gives text, and what the other language has no words for. Pure.
"""

from factory.odcs.export.dbt import dbt_of
from factory.odcs.export.outcome import Exported
from factory.odcs.export.sodacl import sodacl_of

__all__ = ["Exported", "dbt_of", "sodacl_of"]
