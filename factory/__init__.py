"""The data product factory: from a dbt project to a published data product."""

__version__ = "0.2.0"
