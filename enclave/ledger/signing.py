"""Ed25519 keys of the house: made once, kept in a file that only its owner can read, never printed."""

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from enclave.errors import IntegrityError, SetupError

KEY_ID_LENGTH = 16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST_KEY_FILE = 4096


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs; only its id is ever shown."""

    key_id: str
    public_pem: bytes = field(repr=False)
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return self._private.sign(data)

    @classmethod
    def create(cls, path: Path) -> "SigningKey":
        """Make a key and keep it at `path` (0600), on disk before this returns; SetupError if one is there already."""
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.unlink(missing_ok=True)
        _write_private(unfinished, pem)
        try:
            os.link(unfinished, path)  # unlike a rename, never replaces a key
        except FileExistsError as error:
            raise SetupError("KEY_EXISTS", f"there is a key at {path.name} already; a key is never replaced") from error
        finally:
            unfinished.unlink()
        _sync_folder(path.parent)
        return cls._of(private)

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read the key at `path`; SetupError if it is missing, damaged, a link, or open to others than its owner."""
        try:
            private = load_pem_private_key(_read_private(path), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SetupError("KEY_DAMAGED", f"{path.name} does not hold a private key; restore it") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise SetupError("KEY_KIND", f"the key in {path.name} is not an Ed25519 key; restore the right one")
        return cls._of(private)

    @classmethod
    def _of(cls, private: Ed25519PrivateKey) -> "SigningKey":
        public = private.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(_key_id(public), pem, private)


def key_id(public_pem: bytes) -> str:
    """Return the short id of a public key: the start of the sha256 of its 32 bytes."""
    return _key_id(_public_key(public_pem))


def check_signature(public_pem: bytes, signature: bytes, data: bytes) -> None:
    """Raise IntegrityError unless `signature` was made over `data` by the owner of this public key."""
    try:
        _public_key(public_pem).verify(signature, data)
    except InvalidSignature as error:
        raise IntegrityError("SIGNATURE_INVALID", "the signature does not belong to this text and this key") from error


def _public_key(public_pem: bytes) -> Ed25519PublicKey:
    try:
        public = load_pem_public_key(public_pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SetupError("PUBLIC_KEY_DAMAGED", "this is not a public key in PEM; ask its owner for it") from error
    if not isinstance(public, Ed25519PublicKey):
        raise SetupError("KEY_KIND", "this public key is not an Ed25519 key; ask its owner for the right one")
    return public


def _key_id(public: Ed25519PublicKey) -> str:
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:KEY_ID_LENGTH]


def _write_private(path: Path, pem: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(descriptor)


def _read_private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise SetupError("KEY_UNREADABLE", f"cannot open the key {path.name}: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_mode & _OTHERS or state.st_uid != os.geteuid():
            raise SetupError("KEY_PERMISSIONS", f"{path.name} must be a file that only its owner can read (chmod 600)")
        return file.read(_LARGEST_KEY_FILE)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
