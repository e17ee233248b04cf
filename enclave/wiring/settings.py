"""Where things stand in a house, and whether it holds made-up data. Read once, never changed."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import SetupError
from enclave.gateway.request import Stage
from enclave.sandbox.settings import OWN_FILES

SETTINGS = "house.json"
FORMAT = "house-settings/2"
OLD_FORMAT = "house-settings/1"
POLICIES = Path(__file__).resolve().parents[2] / "policies"
"""The policies that ship with the product."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths below one root, the policies' folder, what kind of data the house is for, and its id."""

    root: Path
    policies: Path
    synthetic: bool
    house: str

    @classmethod
    def new(cls, root: Path, policies: Path, *, synthetic: bool) -> "Settings":
        """Return the settings of a new house, with an id of its own."""
        return cls(root, policies, synthetic, secrets.token_hex(8))

    @classmethod
    def read(cls, root: Path) -> "Settings":
        """Read the settings of a house; SetupError where there is no house."""
        try:
            found = json.loads((root / SETTINGS).read_text(encoding="utf-8"))
            if found["format"] == OLD_FORMAT:
                raise SetupError(
                    "HOUSE_OLD",
                    f"the house in '{root}' was made by an earlier version, with its master key unprotected in a file; "
                    "such houses are not opened any more. Make a new one with `enclave operator init`",
                )
            if found["format"] != FORMAT or type(found["synthetic"]) is not bool:
                raise SetupError("SETTINGS", f"{root / SETTINGS} is not of format {FORMAT}; restore the file")
            return cls(root, Path(found["policies"]), found["synthetic"], str(found["house"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"there is no house in '{root}'; make one with `enclave operator init --root {root}`"
            raise SetupError("NO_HOUSE", message) from error

    def write(self) -> None:
        """Write the settings of a new house."""
        facts = {"format": FORMAT, "house": self.house, "policies": str(self.policies), "synthetic": self.synthetic}
        text = json.dumps(facts, indent=1)
        (self.root / SETTINGS).write_text(text + "\n", encoding="utf-8")

    @property
    def vault(self) -> Path:
        """The encrypted store."""
        return self.root / "vault"

    @property
    def master_key(self) -> Path:
        """The key that all others hang from, wrapped under what the key holder keeps elsewhere."""
        return self.root / "master" / "master.key"

    @property
    def signing(self) -> Path:
        """The signing keys' folder."""
        return self.root / "signing"

    @property
    def release_public_key(self) -> Path:
        """The public key that recipients verify releases with."""
        return self.root / "release.pub.pem"

    @property
    def log_public_key(self) -> Path:
        """The public key that auditors verify the log with."""
        return self.root / "log.pub.pem"

    @property
    def book(self) -> Path:
        """Requests, votes, history and audit log."""
        return self.root / "book"

    @property
    def anchor(self) -> Path:
        """The last head of the audit log; a copy belongs outside the house."""
        return self.root / "anchor" / "log-head.json"

    @property
    def outboxes(self) -> dict[Stage, Path]:
        """Where the releases of each stage appear."""
        return {stage: self.root / "releases" / stage.value for stage in Stage}

    @property
    def reports(self) -> Path:
        """Reports for stewards."""
        return self.root / "reports"

    @property
    def own_files(self) -> Path:
        """What stewards brought to each project for its members."""
        return self.root / OWN_FILES

    @property
    def scratch(self) -> Path:
        """Scratch of local clusters."""
        return self.root / "scratch"
