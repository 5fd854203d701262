"""Where notices go: the channels of a workspace, and which of them serves whom.

Takes the settings and a `Route`; gives a `Channel` per receiver. An address is looked up in the environment only when
something is to be sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from factory.incidents.route import is_address
from factory.incidents.values import Route
from factory.workspace import PROD, Workspace

_MAIL = "mail"
_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Channel:
    """One receiver of messages.

    Attributes:
        name: how records call it: a mail address, or the name in `[tool.factory.channels]`.
        setting: an Apprise URL, or `env:NAME`.
        address: the mail address that the URL gets, or empty.
    """

    name: str
    setting: str
    address: str = ""

    def url(self, environment: Mapping[str, str] = os.environ) -> str:
        """Return the Apprise URL, which may hold a secret.

        Raises:
            LookupError: the environment variable is not set.

        """
        variable = self.setting.removeprefix("env:")
        url = self.setting
        if variable != self.setting:
            url = environment.get(variable, "").strip()
            if not url:
                raise LookupError(f"the environment variable {variable} is not set")
        if not self.address:
            return url
        return f"{url}{'&' if '?' in url else '?'}to={quote(self.address, safe='')}"


def channels_of(route: Route, ws: Workspace) -> tuple[Channel, ...]:
    """Return the channels that serve those who are told, each once, the first line first.

    A name has the channel of its name, a mail address the one called `mail`, whoever is left the one called
    `default`. Without such a channel the notice in the registry is all there is. Only `prod` sends: a branch's run
    wakes nobody.
    """
    settings = ws.settings.channels
    if ws.target != PROD:
        return ()
    found: dict[str, Channel] = {}
    for name in route.told:
        channel = None
        if name in settings:
            channel = Channel(name, settings[name])
        elif is_address(name) and _MAIL in settings:
            channel = Channel(name, settings[_MAIL], name)
        elif _DEFAULT in settings:
            channel = Channel(_DEFAULT, settings[_DEFAULT])
        if channel:
            found.setdefault(channel.name, channel)
    return tuple(found.values())
