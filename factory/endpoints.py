"""Endpoints of HTTP that events are posted to: their addresses, and a session that goes there and nowhere else.

Takes addresses from settings, `env:NAME` for one that an environment variable holds; gives sessions of `requests`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from requests import Session

VARIABLE = "env:"


def is_address(where: str) -> bool:
    """Say whether this is an http or https address."""
    return where.lower().startswith(("http://", "https://"))


def address_in(where: str, environment: Mapping[str, str]) -> str:
    """Return the address that a setting names: itself, or what an environment variable holds; may be empty."""
    variable = where.removeprefix(VARIABLE)
    return where if variable == where else environment.get(variable, "").strip()


def known_as(where: str) -> str:
    """Return how a destination is called in a note: what an environment variable holds is not told."""
    return where if where.startswith(VARIABLE) else urlsplit(where).netloc


def may_have_token(address: str) -> bool:
    """Say whether a token may be sent there: over TLS, or to this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme.lower() == "https" or is_local(address)


def is_local(address: str) -> bool:
    """Say whether an address is on this machine."""
    try:
        return (urlsplit(address).hostname or "") in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False


def plain_session(address: str) -> Session:
    """Return a session that sends what it is given: no password out of ~/.netrc; to this machine without a proxy."""
    from requests import Session

    session = Session()
    session.trust_env = not is_local(address)
    if urlsplit(address).username is None:
        session.auth = as_it_is
    return session


def post(session: Session, address: str, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
    """Post something; return the status of the answer.

    Nobody is followed elsewhere, and the answer's content is not read. Raises:
        ValueError: this is no address that one could go to.
        OSError: it cannot be reached, or does not answer within so many seconds.

    """
    with session.post(
        address, data=body, headers=headers, timeout=seconds, allow_redirects=False, stream=True
    ) as answer:
        return int(answer.status_code)


def as_it_is(request: Any) -> Any:
    """Return a request unchanged: what `requests` takes for an authentication, so that it looks for no other."""
    return request
