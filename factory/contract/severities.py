"""How grave changes of contracts are in a workspace: what it sets otherwise, by the rules of `factory.odcs.compare`.

Takes a workspace; gives its setting `severities`, every rule of which exists.
"""

from __future__ import annotations

from collections.abc import Mapping

from factory.odcs.compare import RULES
from factory.standards import nearest
from factory.workspace import Workspace, wrong_setting


def severities_of(ws: Workspace) -> Mapping[str, str]:
    """Return the severities that a workspace sets otherwise, by the name of the rule.

    Raises:
        WorkspaceError: there is no such rule.

    """
    for name in ws.settings.severities:
        if name not in RULES:
            near = nearest(name, RULES)
            hint = f"did you mean {near!r}?" if near else f"rules: {', '.join(RULES)}"
            message = f"there is no rule {name!r} for changes of contracts"
            raise wrong_setting(ws.root / "pyproject.toml", name, message, hint)
    return ws.settings.severities
