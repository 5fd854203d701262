"""A bucket of S3, or of a server that speaks its language, as a store of objects.

Takes `s3://bucket/prefix`, and what the usual environment variables of AWS say (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`, ...), never a file; gives an `ObjectStore`; speaks to that
server and to no other. The only door to obstore. Creating and replacing are conditional requests (`If-None-Match: *`,
`If-Match`; RFC 9110, 13.1), so that of several writers one wins. A server that takes no notice of them is refused.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.registry.remote.objects import Entry, Object, parts_of

SCHEME = "s3://"
PROBE = "probe/conditional-writes"
_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_CONNECT = timedelta(seconds=5)
_SILENCE = timedelta(seconds=30)  # how long a server may say nothing
_REQUEST = timedelta(minutes=30)  # how long one object may take that does arrive
_RETRIES = 4
_CONFLICTS = 7  # times that a write is begun anew where another one is under way
_CONFLICT = re.compile(r"\b409 |ConditionalRequestConflict")
_PATIENCE = timedelta(seconds=60)  # in which a request is tried again

#: Other ways to say who asks.
_OTHER_WAYS = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
_AGAIN = "run the command again when it is mended; nothing is lost, and nothing is half-published"
#: What a failure's text has, what that means, and the remedy; the first that fits.
_MEANINGS = (
    (r"NoSuchBucket", "there is no such bucket", "make the bucket, or mend its name"),
    (
        r"\b501 |NotImplemented",
        "the server knows no conditional writes (If-None-Match, If-Match)",
        "use a server that does: without them two writers could publish one version",
    ),
    (
        r"Missing(AccessKeyId|SecretAccessKey)|instance credentials|169\.254\.169\.254|metadata",
        "there are no credentials",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|\b401 |Unauthenticated|AuthFailure",
        "the server refuses the credentials",
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION in the environment",
    ),
    (
        r"AccessDenied|\b403 |PermissionDenied",
        "the credentials do not permit this",
        "let them list, read, write and delete objects below this address",
    ),
    (
        r"\b30[1278] |Redirect|AuthorizationHeaderMalformed|PermanentRedirect",
        "the bucket is in another region",
        "set AWS_REGION in the environment to the bucket's region",
    ),
    (
        r"kind: Timeout|timed out|TimedOut",
        "the server does not answer in time",
        f"check AWS_ENDPOINT_URL and the network; {_AGAIN}",
    ),
    (
        r"kind: Connect|error sending request",
        "the server cannot be reached",
        f"check AWS_ENDPOINT_URL and the network; {_AGAIN}",
    ),
)


class S3Store:
    """The objects below a prefix of a bucket."""

    def __init__(self, address: str) -> None:
        """Look at a bucket; no request is made yet.

        Raises:
            RegistryError: the address is none, or a setting in the environment is wrong.

        """
        from obstore.store import S3Store as Bucket

        bucket, prefix = parts_of_address(address)
        self._address = address.rstrip("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        _check_environment(self._address, endpoint)
        with _told(self._address, "opening it"):
            self._store = Bucket(
                bucket,
                prefix=prefix or None,
                client_options={
                    "allow_http": endpoint.startswith("http://"),
                    "connect_timeout": _CONNECT,
                    "read_timeout": _SILENCE,
                    "timeout": _REQUEST,
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
                conditional_put="etag",
            )

    @property
    def address(self) -> str:
        """The address, as the settings name it."""
        return self._address

    def entries(self, prefix: str) -> Sequence[Entry]:
        """Return what lies below a folder, sorted by key: a request for each thousand."""
        import obstore

        with _told(self._address, f"listing {prefix}"):
            found = [_entry(each) for batch in obstore.list(self._store, prefix) for each in batch]
        return sorted(found, key=lambda entry: entry.key)

    def read(self, key: str) -> Object | None:
        """Return an object, or None if it is not there."""
        import obstore

        parts_of(key)
        with _told(self._address, f"reading {key}"):
            try:
                found = obstore.get(self._store, key)
                return Object(bytes(found.bytes()), found.meta["e_tag"] or "")
            except FileNotFoundError as error:
                _unless_no_bucket(error)
                return None

    def create(self, key: str, content: bytes) -> bool:
        """Write an object that is not there yet; say False if it is, perhaps by a request of ours that was repeated."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        parts_of(key)
        with _told(self._address, f"writing {key}"):
            for attempt in range(_CONFLICTS):
                try:
                    obstore.put(self._store, key, content, mode="create", use_multipart=False)
                    return True
                except (AlreadyExistsError, PreconditionError) as error:
                    if not _CONFLICT.search(str(error)):
                        return False
                time.sleep(0.05 * 2**attempt)  # another one is writing it at this moment: it may yet fail
        raise RegistryError(f"{self._address}: others write {key} all the time", hint=_AGAIN)

    def replace(self, key: str, content: bytes, etag: str | None) -> bool:
        """Write an object if it is still the one with this etag; say whether it was."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        if etag is None:
            return self.create(key, content)
        parts_of(key)
        with _told(self._address, f"writing {key}"):
            try:
                obstore.put(self._store, key, content, mode={"e_tag": etag}, use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
            except FileNotFoundError as error:
                _unless_no_bucket(error)
                return False
        return True

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no fault."""
        import obstore

        parts_of(key)
        with _told(self._address, f"removing {key}"):
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError as error:
                _unless_no_bucket(error)

    def upload(self, key: str, file: Path) -> None:
        """Write a file of any size, in pieces where it is large; it is there when all of it is."""
        import obstore

        parts_of(key)
        with _told(self._address, f"writing {key}"):
            obstore.put(self._store, key, file)

    def download(self, key: str, file: Path) -> bool:
        """Write an object of any size into a new file, piece by piece; say False if it is not there."""
        import obstore

        parts_of(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        with _told(self._address, f"reading {key}"):
            try:
                found = obstore.get(self._store, key)
            except FileNotFoundError as error:
                _unless_no_bucket(error)
                return False
            with file.open("wb") as handle:
                for piece in found.stream():
                    handle.write(piece)
                handle.flush()
                os.fsync(handle.fileno())
        return True

    def check_conditional_writes(self) -> None:
        """Check that the server heeds the conditions of a write; one small object of the bucket is for this.

        Raises:
            RegistryError: it does not, so that two writers could both publish one version.

        """
        heeds = not self.create(PROBE, b"1") or not self.create(PROBE, b"1")
        if not heeds or self.replace(PROBE, b"1", '"00000000000000000000000000000000"'):
            raise RegistryError(
                f"{self._address}: the server takes no notice of conditional writes (If-None-Match, If-Match)",
                hint="use a server that does: without them two writers could publish one version",
            )


def parts_of_address(address: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`.

    Raises:
        RegistryError: it is not such an address.

    """
    found = _ADDRESS.fullmatch(address.rstrip("/"))
    if not found:
        raise RegistryError(
            f"{address[:200]!r} is not the address of a bucket",
            hint="write s3://bucket or s3://bucket/prefix",
        )
    prefix = found[2] or ""
    if prefix:
        parts_of(prefix)
    return found[1], prefix


def _check_environment(address: str, endpoint: str) -> None:
    """Refuse at once what is no server, and where nothing says who asks; on AWS itself a machine may have a role."""
    if endpoint and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:_-]+(/\S*)?", endpoint):
        raise RegistryError(
            f"{address}: {endpoint[:200]!r} is not the address of a server",
            hint="set AWS_ENDPOINT_URL to https://HOST or http://HOST:PORT",
        )
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not os.environ.get(name)]
    if missing and not any(os.environ.get(name) for name in _OTHER_WAYS) and (endpoint or len(missing) == 1):
        raise RegistryError(
            f"{address}: there are no credentials", hint=f"set {' and '.join(missing)} in the environment"
        )


def _entry(meta: Mapping[str, Any]) -> Entry:
    return Entry(str(meta["path"]), int(meta["size"]), str(meta["e_tag"] or ""))


def _unless_no_bucket(error: FileNotFoundError) -> None:
    if "NoSuchBucket" in str(error):
        raise error


@contextmanager
def _told(address: str, doing: str) -> Iterator[None]:
    """Turn a failure of the network or the server into an error that says what it means and what to do."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, FileNotFoundError, ValueError) as error:
        text = str(error)
        for pattern, meaning, hint in _MEANINGS:
            if re.search(pattern, text):
                raise RegistryError(f"{address}: {meaning} ({doing})", hint=hint) from error
        raise RegistryError(f"{address}: {doing} failed: {_reason(text)}", hint=_AGAIN) from error


def _reason(text: str) -> str:
    """Return the gist of a failure's text, without the address of the request and what is for developers."""
    first = text.partition("\n\nDebug source")[0]
    status = re.search(r"status code: ([^:\n]{1,60})", first)
    code = re.search(r"<Code>([A-Za-z.]{1,60})</Code>", first)
    if status:
        return f"{status[1].strip()}{f' ({code[1]})' if code else ''}"
    return first.splitlines()[0][:200] if first else "no reason given"
