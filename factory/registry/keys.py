"""Keys that sign checkpoints: Ed25519, as PEM. The only door to `cryptography`.

Takes files or environment variables; gives keys; writes a new private key, for its owner's eyes only.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import told_as

_MAX_BYTES = 16_384
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)
_A_PRIVATE_KEY = "a private key is an Ed25519 key in PEM, as `factory registry key NEW_FILE` writes one"
_A_PUBLIC_KEY = "a public key is an Ed25519 key in PEM, as `factory registry key NEW_FILE` prints one"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that tells whether another one signed.

    Attributes:
        raw: its 32 bytes.
    """

    raw: bytes

    @property
    def key_id(self) -> str:
        """sha256 of the key's bytes, in hexadecimal: how a signature names it."""
        return hashlib.sha256(self.raw).hexdigest()

    def pem(self) -> str:
        """Return the key as PEM."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        key = Ed25519PublicKey.from_public_bytes(self.raw)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_bytes(serialization.Encoding.PEM, form).decode()


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs; it is never shown, not in an error either."""

    _key: Any = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The key that others trust."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message: 64 bytes."""
        return bytes(self._key.sign(message))


def verifies(key: PublicKey, signature: str, message: bytes) -> bool:
    """Say whether a signature, in hexadecimal, is that of a key over a message."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not _SIGNATURE.fullmatch(signature):  # one form alone: a file is that of its bytes
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def new_key(file: Path) -> PublicKey:
    """Make a private key and write it to a new file that only this user reads (mode 0600); return its public key.

    Raises:
        RegistryError: the file is there already, or cannot be written.

    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        with told_as(RegistryError, "writing the key", file):
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
            with os.fdopen(handle, "wb") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
    except RegistryError as error:
        if isinstance(error.__cause__, FileExistsError):
            hint = "name a file that is not there yet"
            raise RegistryError("the file is there already", where=file, hint=hint) from error
        raise
    return PrivateKey(key).public


def private_key(source: str) -> PrivateKey:
    """Return the private key in a file, or with `env:NAME` in an environment variable.

    Raises:
        RegistryError: there is none that can be read; what it holds is not told.

    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    variable = source.removeprefix("env:")
    if variable != source:
        text = os.environ.get(variable, "")
        named = f"the environment variable {variable}"
        if not text:
            raise RegistryError(f"{named} is not set", hint="it holds a private key, as PEM")
        raw, where = text.encode(errors="surrogateescape"), None
    else:
        where = Path(source)
        named, raw = "the file", _bytes_of(where)
    try:
        key = load_pem_private_key(raw, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise RegistryError(f"{named} holds no private key", where=where, hint=_A_PRIVATE_KEY) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise RegistryError(f"{named} holds a key of another kind", where=where, hint=_A_PRIVATE_KEY)
    return PrivateKey(key)


def public_key(file: Path) -> PublicKey:
    """Return the public key in a file.

    Raises:
        RegistryError: there is none that can be read.

    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    raw = _bytes_of(file)
    if b"PRIVATE KEY" in raw:
        message = "it is a private key, which nobody needs to trust another one"
        raise RegistryError(
            message, where=file, hint="keep it to yourself, and name the file of its public key"
        )
    try:
        key = load_pem_public_key(raw)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise RegistryError("the file holds no public key", where=file, hint=_A_PUBLIC_KEY) from None
    if not isinstance(key, Ed25519PublicKey):
        raise RegistryError("the file holds a key of another kind", where=file, hint=_A_PUBLIC_KEY)
    return PublicKey(key.public_bytes_raw())


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise RegistryError(f"the key cannot be read: {error.strerror}", where=file) from error
    if len(raw) > _MAX_BYTES:
        raise RegistryError(f"the file has more than {_MAX_BYTES:,} bytes: it is no key", where=file)
    return raw
