"""Registries elsewhere: a bucket that a workspace's registry folder is a replica of, and registries that are joined.

Takes a workspace and addresses; gives what was carried; reads and writes the registry's folders and the network, if the
setting `publish_to` names a bucket. How: `objects` (what a store must do), `folder` and `s3` (two that do), `layout`
(what is carried), `commit` (a version, all or nothing), `replica` (pull and push), `merge` (union of registries).
"""

from factory.registry.remote.merge import Merged, merge, merged_as_json, merged_as_text, open_store
from factory.registry.remote.objects import Entry, Object, ObjectStore
from factory.registry.remote.replica import (
    Carried,
    Replica,
    claim_document,
    claim_version,
    in_step,
    pull,
    push,
    replica_of,
)

__all__ = [
    "Carried",
    "Entry",
    "Merged",
    "Object",
    "ObjectStore",
    "Replica",
    "claim_document",
    "claim_version",
    "in_step",
    "merge",
    "merged_as_json",
    "merged_as_text",
    "open_store",
    "pull",
    "push",
    "replica_of",
]
