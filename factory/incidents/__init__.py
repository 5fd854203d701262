"""Incidents: what turned bad, who was told, and when it was good again.

Takes what runs found; gives incidents as values; writes `registry/incidents/`, events and notices, and sends messages
where the workspace has channels. `after_run` and `notify_pending` are all that a run needs.
"""

from factory.incidents.after import AfterRun, after_run, close_gone, notify_pending
from factory.incidents.route import NotifyStandard, read_notify
from factory.incidents.store import IncidentStore
from factory.incidents.troubles import check_key, refusal, troubles_of_checks
from factory.incidents.values import Cause, Incident, Trouble

__all__ = [
    "AfterRun",
    "Cause",
    "Incident",
    "IncidentStore",
    "NotifyStandard",
    "Trouble",
    "after_run",
    "check_key",
    "close_gone",
    "notify_pending",
    "read_notify",
    "refusal",
    "troubles_of_checks",
]
