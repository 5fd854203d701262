"""Incidents: what turned bad, who was told, and when it was good again."""
