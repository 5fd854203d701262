"""OpenLineage: what a run did, told to a catalog in the form of https://openlineage.io/spec/2-0-2/OpenLineage.json.

Takes what a run knows of its products; gives run events; appends them to a file of the workspace or posts them to an
endpoint, where the settings or an option name one. A run that names none touches nothing of this.

What is told is an allow-list: names, types, descriptions, owners, versions, counts, and which column comes from which.
No SQL, no message of dbt or of a check, no variable and no value of the environment is among it.
"""

from factory.openlineage.emission import Emission

__all__ = ["Emission"]
