"""One spelling for everything that is hashed: canonical JSON, SHA-256 in hexadecimal, UTC times, plain names."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from enclave.errors import EnclaveBug, RequestError

NO_HEAD = "0" * 64
"""The head of an empty chain."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]


def canonical(value: Json) -> bytes:
    """Return the only spelling of `value`: keys sorted, no spaces, UTF-8. Fractions are refused (EnclaveBug)."""
    _refuse_fractions(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _refuse_fractions(value: object) -> None:
    if isinstance(value, Mapping):
        for part in value.values():
            _refuse_fractions(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _refuse_fractions(part)
    elif not (value is None or isinstance(value, (str, int))):
        raise EnclaveBug(
            "NOT_CANONICAL", "only text, whole numbers, lists and objects have one spelling; convert first"
        )


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def is_name(text: str) -> bool:
    """Say whether `text` can be an id: lower case letters, digits, '.', '_', '-', at most 100, no leading dot."""
    return _NAME.fullmatch(text) is not None


def check_name(what: str, text: str) -> None:
    """Raise RequestError BAD_NAME unless `text` can be an id."""
    if not is_name(text):
        raise RequestError(
            "BAD_NAME", f"this {what} is not a name: use a-z, 0-9, '.', '_' and '-', at most 100 of them"
        )


def check_digest(what: str, text: str) -> None:
    """Raise RequestError BAD_DIGEST unless `text` is a SHA-256 in lower-case hexadecimal."""
    if _DIGEST.fullmatch(text) is None:
        raise RequestError("BAD_DIGEST", f"the {what} is not a SHA-256; give 64 lower-case hexadecimal digits")


def utc_text(moment: datetime) -> str:
    """Return a moment as '2026-11-23T22:03:10.123Z'. EnclaveBug when it has no time zone."""
    if moment.tzinfo is None:
        raise EnclaveBug("NAIVE_TIME", "a moment without time zone reached the gateway; the clock must give UTC")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_moment(text: str) -> datetime:
    """Return the moment that `utc_text` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)
