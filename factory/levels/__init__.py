"""Service levels: what is promised of a product beside its data's quality, what was measured, and the verdict."""
