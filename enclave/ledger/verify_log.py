#!/usr/bin/env python3
"""Verify an audit log without the enclave.

python3 verify_log.py LOG.jsonl --key PUBLIC_KEY.pem [--anchor ANCHOR.json]   (Python 3.11 and `cryptography`)

Each line holds an entry, its head (the SHA-256 of the entry, which names the head before it) and a signature over
number and head. So no byte can change, and no entry can go, come twice or move, unseen. Only an anchor, a signed head
that was kept elsewhere, shows that entries at the end are missing or that all was signed anew. Exit code 0: verified.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

BEGIN = "0" * 64
FIELDS = {"seq", "at", "actor", "action", "subject", "details", "previous"}


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The end of the log at one moment: the entry's number from 1, its SHA-256, and the signature over both."""

    seq: int
    head: str
    signature: bytes

    def to_bytes(self) -> bytes:
        """Return the head as one line of JSON, to be kept outside as an anchor."""
        return canonical({"seq": self.seq, "head": self.head, "signature": self.signature.hex()}) + b"\n"

    @classmethod
    def from_bytes(cls, line: bytes) -> "SignedHead":
        """Read an anchor; ValueError, TypeError or LookupError unless it is spelled as `to_bytes` spells it."""
        found = json.loads(line)
        head = cls(found["seq"], found["head"], bytes.fromhex(found["signature"]))
        if head.to_bytes() != line or type(head.seq) is not int:
            raise ValueError("this is not a signed head")
        return head


def canonical(value: object) -> bytes:
    """Return the only spelling of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def to_sign(seq: int, head: str) -> bytes:
    """Return what is signed for an entry."""
    return f"enclave audit log head {seq} {head}".encode()


def verify_log(
    entries: Sequence[bytes], heads: Sequence[SignedHead], public_key_pem: bytes, anchor: SignedHead | None
) -> list[str]:
    """Return the problems of a log as sentences; none means verified. Signatures are checked if the chain holds."""
    problems = check_chain(entries, heads)
    if anchor and not 1 <= anchor.seq <= len(heads):
        problems.append(f"the log ends before entry {anchor.seq} of the anchor: entries are missing at its end")
    elif anchor and heads[anchor.seq - 1].head != anchor.head:
        problems.append(f"entry {anchor.seq} is not the one of the anchor: the log was rewritten")
    if problems:
        return problems
    key = load_pem_public_key(public_key_pem)
    if not isinstance(key, Ed25519PublicKey):
        return ["the public key is not an Ed25519 key"]
    signed = [*heads, anchor] if anchor else heads
    return [f"the signature of entry {head.seq} is wrong" for head in signed if not is_signed(head, key)]


def check_chain(entries: Sequence[bytes], heads: Sequence[SignedHead]) -> list[str]:
    """Check numbers, hashes and the links between entries."""
    if len(entries) != len(heads):
        return ["there is not one head for each entry"]
    previous = BEGIN
    for seq, (data, head) in enumerate(zip(entries, heads, strict=True), start=1):
        entry = read_entry(data)
        if entry is None:
            return [f"entry {seq} is not well-formed"]
        if head.head != hashlib.sha256(data).hexdigest():
            return [f"entry {seq} was changed: its SHA-256 is another"]
        if entry["seq"] != seq or head.seq != seq or entry["previous"] != previous:
            return [f"entry {seq} does not follow the one before it: an entry was removed, repeated or moved"]
        previous = head.head
    return []


def read_entry(data: bytes) -> dict[str, Any] | None:
    """Return an entry, or None unless it has its fields and its only spelling."""
    try:
        entry = json.loads(data)
        return entry if set(entry) == FIELDS and canonical(entry) == data else None
    except (ValueError, TypeError, RecursionError):
        return None


def is_signed(head: SignedHead, key: Ed25519PublicKey) -> bool:
    """Tell whether the key's owner signed this head."""
    try:
        key.verify(head.signature, to_sign(head.seq, head.head))
    except InvalidSignature:
        return False
    return True


def verify_file(data: bytes, public_key_pem: bytes, anchor_line: bytes | None) -> list[str]:
    """Return the problems of a log given as the bytes of its file (JSON lines)."""
    if not data.endswith(b"\n"):
        return ["the file is empty or does not end with a whole line"]
    try:
        lines = [read_line(line) for line in data.split(b"\n")[:-1]]
        anchor = None if anchor_line is None else SignedHead.from_bytes(anchor_line)
        return verify_log([entry for entry, _ in lines], [head for _, head in lines], public_key_pem, anchor)
    except (ValueError, TypeError, LookupError, RecursionError, UnsupportedAlgorithm) as error:
        return [f"the log, the anchor or the public key is not well-formed: {type(error).__name__} {error!a:.200}"]


def read_line(line: bytes) -> tuple[bytes, SignedHead]:
    """Return an entry's bytes and its head; ValueError unless the line has its only spelling."""
    found = json.loads(line)
    entry, signature = found["entry"], bytes.fromhex(found["signature"])
    if canonical({"entry": entry, "head": found["head"], "signature": signature.hex()}) != line:
        raise ValueError("a line is not spelled as the log spells it")
    return canonical(entry), SignedHead(entry["seq"], found["head"], signature)


def main() -> int:
    """Read the command line, verify, and say what was found."""
    parser = argparse.ArgumentParser(description="Verify an audit log.")
    parser.add_argument("log", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="public key of the log, in PEM")
    parser.add_argument("--anchor", type=Path, help="a signed head of the log that was kept elsewhere")
    options = parser.parse_args()
    anchor = options.anchor.read_bytes() if options.anchor else None
    problems = verify_file(options.log.read_bytes(), options.key.read_bytes(), anchor)
    verified = "the log verifies\n" if anchor else "the log verifies; without --anchor its end may be missing unseen\n"
    sys.stdout.write("".join(f"PROBLEM {problem}\n" for problem in problems) or verified)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
