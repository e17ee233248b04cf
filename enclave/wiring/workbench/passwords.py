"""Passwords of the made-up users: drawn at random, kept as scrypt hashes; the words themselves for root's eyes only."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from enclave.errors import SetupError

_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that look alike."""


def draw() -> str:
    """Return a password of 75 random bits that people can type."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))


def hashed(passwords: Mapping[str, str]) -> str:
    """Return the accounts file: a salt and a hash for each account."""
    accounts = {}
    for account, password in passwords.items():
        salt = secrets.token_bytes(16)
        accounts[account] = {"salt": salt.hex(), "hash": _hash(password, salt).hex()}
    return json.dumps({"format": "accounts/1", "accounts": accounts}, indent=1)


def is_right(path: Path, account: str, password: str) -> bool:
    """Say whether this is the account's password. An unknown account takes as long as a wrong password."""
    entry = _accounts(path).get(account, {"salt": "00" * 16, "hash": ""})
    given = _hash(password[:200], bytes.fromhex(entry["salt"]))
    return hmac.compare_digest(given.hex(), entry["hash"])


def as_lines(passwords: Mapping[str, str]) -> str:
    """Return the file of log-ins for people."""
    return "".join(f"{account} {password}\n" for account, password in passwords.items())


def from_lines(text: str) -> dict[str, str]:
    """Return the log-ins of such a file."""
    return dict(line.split(" ", 1) for line in text.splitlines())


def for_accounts(accounts: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return a password for each account: the known one, else a new one."""
    return {account: known.get(account) or draw() for account in accounts}


def _accounts(path: Path) -> dict[str, dict[str, str]]:
    try:
        found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["accounts"]
    except (OSError, ValueError, KeyError) as error:
        raise SetupError("ACCOUNTS", f"'{path}' is damaged; start the workbench again, which writes it") from error
    return found


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
