"""The files of the policies' folder, read and checked together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import PolicyError, RequestError, SetupError
from enclave.policy.codelist import Codelist, read_codelists
from enclave.policy.deliberation.model import Deliberation
from enclave.policy.house import HousePolicy, load_house
from enclave.policy.load import AnyPolicy, load_any
from enclave.policy.model import Policy
from enclave.policy.source import SourceSchema
from enclave.policy.strict_yaml import read as read_yaml
from enclave.sdc.derivation import Derivation
from enclave.synthetic.references import References


@dataclass(frozen=True)
class Reference:
    """House rules, code lists and source schemas of one policies' folder."""

    folder: Path
    house: HousePolicy
    codelists: Mapping[str, Codelist]
    sources: Mapping[str, SourceSchema]

    @classmethod
    def load(cls, folder: Path) -> "Reference":
        """Read the folder; PolicyError with file and line for what is wrong, SetupError for a missing file."""
        lists = sorted((folder / "classifications").glob("*.csv"))
        schemas = [
            SourceSchema.from_yaml(path.name, _text(path)) for path in sorted((folder / "sources").glob("*.yaml"))
        ]
        return cls(
            folder,
            load_house("house.yaml", _text(folder / "house.yaml")),
            read_codelists({path.name: _text(path) for path in lists}),
            {schema.id: schema for schema in schemas},
        )

    def policy(self, policy_id: str) -> Policy:
        """Load a standing advice by its id; RequestError for a deliberation."""
        return self.policy_file(self.folder / f"{policy_id}.yaml")

    def policy_file(self, path: Path) -> Policy:
        """Load a standing advice from a file, which may stand anywhere; RequestError for a deliberation."""
        found = self.any_policy_file(path)
        if isinstance(found, Deliberation):
            message = (
                f"'{found.id}' is a deliberation. It is held and checked as a policy, but taking its sources in, "
                "linking, coding and opening its data sets are not built yet; name a standing advice instead"
            )
            raise RequestError("KIND_NOT_BUILT", message)
        return found

    def any_policy_file(self, path: Path) -> AnyPolicy:
        """Load an advice or a deliberation from a file, which may stand anywhere."""
        return load_any(path.name, _text(path), self.house, self.codelists, self.sources)

    def derivations(self, path: Path) -> tuple[Derivation, ...]:
        """Read the declared expressions of a second stage."""
        entries = read_yaml(path.name, _text(path)).data
        if not isinstance(entries, Mapping) or set(entries) != {"results"} or not isinstance(entries["results"], tuple):
            raise PolicyError("DERIVATIONS", f"{path.name}: write one list under `results:`")
        return tuple(
            Derivation.from_mapping(entry, f"{path.name}, entry {number}")
            for number, entry in enumerate(entries["results"], start=1)
        )

    def made_up_world(self) -> References:
        """Return what the made-up world is drawn from."""
        files = [
            *(self.folder / "classifications").glob("*.csv"),
            *(self.folder / "classifications/tables").glob("*.csv"),
        ]
        return References.from_csv({path.stem: _text(path) for path in files})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SetupError("FILE_MISSING", f"there is no file '{path}'; check the name") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError("FILE_UNREADABLE", f"'{path}' cannot be read as UTF-8 text; check the file") from error
