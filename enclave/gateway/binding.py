"""What an approval approves: these tables, this pattern, this policy, this state of the data, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from enclave.errors import RequestError
from enclave.gateway.canonical import canonical, check_digest, sha256

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"


@dataclass(frozen=True, slots=True)
class Binding:
    """Four SHA-256 that an approval signs for; a change of one of them voids the approvals.

    `tables` is the digest of the `Package`, so of every byte that would be published; `pattern` of which cells are
    hidden; `policy` of the policy's file; `snapshot` names the state of the coded data (random or keyed, never a plain
    hash of microdata). Raises RequestError BAD_DIGEST for anything else.
    """

    tables: str
    pattern: str
    policy: str
    snapshot: str

    def __post_init__(self) -> None:
        for what in ("tables", "pattern", "policy", "snapshot"):
            check_digest(what, getattr(self, what))

    @property
    def digest(self) -> str:
        """The one number that stands for all four."""
        parts = {"pattern": self.pattern, "policy": self.policy, "snapshot": self.snapshot, "tables": self.tables}
        return sha256(canonical(parts))


@dataclass(frozen=True)
class Package:
    """All that a release publishes but for its manifest and signature, and `body`: what the manifest will say of it.

    `files` maps relative paths to bytes. `body` is JSON in bytes (rules, tables, marks, ...) that the signer completes
    with release id, time and approvals. Raises RequestError when the manifest itself is among the files.
    """

    files: Mapping[str, bytes]
    body: bytes

    def __post_init__(self) -> None:
        if MANIFEST in self.files or SIGNATURE in self.files:
            raise RequestError("PACKAGE_MANIFEST", "a package must not bring its own manifest; the release writes it")
        if not self.files:
            raise RequestError("PACKAGE_EMPTY", "a package without files cannot be released; add the tables")

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each file by its path, in order of paths."""
        return {path: sha256(self.files[path]) for path in sorted(self.files)}

    @cached_property
    def digest(self) -> str:
        """The content hash of the package, which is also its address in the package store."""
        return sha256(canonical({"body": sha256(self.body), "files": self.hashes}))
