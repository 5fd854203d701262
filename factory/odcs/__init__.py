"""What can be said of contracts as documents of the standard, without a product, dbt or a workspace.

Takes documents in YAML; gives findings (`lint`), changes (`compare`), contracts in another version (`convert`).
"""
