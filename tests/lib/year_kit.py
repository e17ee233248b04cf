"""A year of deliveries by hand, in a real vault: four quarters instead of twenty, one line for what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from enclave.linkage.intake import Intake
from enclave.linkage.prepare import prepare
from enclave.linkage.report import IntakeReport, PrepareReport
from enclave.policy.model import Policy
from enclave.vault.store import Vault
from tests.lib import policy_files
from tests.lib.delivery_kit import ANTWERP, CLUSTERS, POSITIONS, REGISTER, SUPPORT, csv, insz, write_folder

QUARTERS = ("2009-Q2", "2009-Q3", "2009-Q4", "2010-Q1")
PROJECT = "advice-17-17-2016"
YEAR = 2016


def short_advice(**patches: str) -> Policy:
    """Return the advice with a window of four quarters; `patches` replace values at dotted paths ("__" for the dot)."""
    text = policy_files.text_of(policy_files.ADVICE)
    for path, raw in {"population__window_quarters": "4", **patches}.items():
        text = policy_files.put(text, path.replace("__", "."), raw)
    return policy_files.load_advice(text)


@dataclass
class Year:
    """What is delivered. Who is in `support` stands in every register and position file like everybody else, unless
    `register` or `positions` says for (person, quarter) what stands there instead; None: no row.
    """

    support: Mapping[str, list[str]]
    persons: int
    register: Mapping[tuple[int, str], str | None] = field(default_factory=dict)
    positions: Mapping[tuple[int, str], str | None] = field(default_factory=dict)
    clusters: tuple[str, ...] = (f"{ANTWERP},K01,2001-01-01,",)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each file."""
        yield "clusters.csv", csv(CLUSTERS, self.clusters)
        for quarter in QUARTERS:
            everybody = range(self.persons)
            usual = f"F,{ANTWERP},SING,BE,"
            register = {one: self.register.get((one, quarter), usual) for one in everybody}
            positions = {one: self.positions.get((one, quarter), "111") for one in everybody}
            yield f"support_{quarter}.csv", csv(SUPPORT, self.support[quarter])
            yield f"register_{quarter}.csv", csv(REGISTER, _rows(register))
            yield f"positions_{quarter}.csv", csv(POSITIONS, _rows(positions))

    def deliver(self, vault: Vault, folder: Path, *, without: str = "", correction: bool = False) -> IntakeReport:
        """Take everything in, save files whose name starts with `without`."""
        files = {name: data for name, data in self.files() if not without or not name.startswith(without)}
        house = Intake(vault, policy_files.sources(), policy_files.codelists(), synthetic=True)
        report = house.take_folder(write_folder(folder, files), correction=correction)
        report.require_all()
        return report


def _rows(values: Mapping[int, str | None]) -> list[str]:
    return [f"{insz(person)},{value}" for person, value in values.items() if value is not None]


def prepare_year(vault: Vault, policy: Policy, ids: Iterator[str], *, year: int = YEAR) -> PrepareReport:
    return prepare(vault, policy, year, policy_files.sources(), policy_files.codelists(), new_id=lambda: next(ids))
