"""The side door: what is stamped from templates, and how products follow the template as it grows.

Takes answers; gives folders. Only this shelf knows Copier.
"""

from factory.scaffold.adopt import Adopted, adopt
from factory.scaffold.product import (
    Known,
    Stamped,
    answers_of,
    check_name,
    known,
    resolve_inputs,
    stamp_product,
)
from factory.scaffold.update import Standing, template_status, template_update
from factory.scaffold.workspace import stamp_workspace

__all__ = [
    "Adopted",
    "Known",
    "Stamped",
    "Standing",
    "adopt",
    "answers_of",
    "check_name",
    "known",
    "resolve_inputs",
    "stamp_product",
    "stamp_workspace",
    "template_status",
    "template_update",
]
