"""The quality score: one figure from 0 to 100 per table, contract and product."""
