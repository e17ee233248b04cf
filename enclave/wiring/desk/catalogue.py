"""What a project is and holds: its policy in words, the tables released inside, and for CBSS staff the coded data."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclave.errors import EnclaveError, RequestError
from enclave.gateway import permissions
from enclave.gateway.log_entry import LogAction
from enclave.gateway.permissions import Person
from enclave.gateway.request import Stage
from enclave.ledger.release_content import FREE, NO_FIGURE
from enclave.linkage.prepared import DATASET, codebook
from enclave.policy.base import Label
from enclave.policy.codelist import Code
from enclave.policy.model import Policy
from enclave.sdc.table import ProtectedTable
from enclave.sdc.words import Words
from enclave.wiring.content import policy_year
from enclave.wiring.desk.desk import Desk
from enclave.wiring.desk.shown import table_of
from enclave.wiring.house import House
from enclave.wiring.production import latest_inside

NOT_PREPARED = "not prepared"
LOCKED = "locked"
CLOSED = "closed"
"""Its term is over: what it holds is to be destroyed."""


@dataclass(frozen=True)
class Project:
    """A project as one person may use it; `may`: of "microdata", "tables", "request_inside", "request_outside"."""

    id: str
    policy: Policy
    year: int
    may: tuple[str, ...]
    state: str

    @property
    def periods(self) -> tuple[str, ...]:
        """The quarters of its tables."""
        return tuple(str(quarter) for quarter in self.policy.window(self.year))


class Catalogue:
    """The projects of a house, for whoever may see them."""

    def __init__(self, house: House, desk: Desk) -> None:
        """Know the house, and the desk that reads releases."""
        self._house, self._desk = house, desk

    def projects(self, account: str) -> tuple[Project, ...]:
        """Return the projects of the caller; for those whose office it is, all that hold data or requests."""
        person = self._desk.person(account)
        names = set(person.projects)
        if permissions.may_see_project(person, ""):
            with self._house.book.view() as view:
                names |= {request.project for request in view.requests()}
            data = self._house.settings.vault / "data"
            names |= {folder.parent.name for folder in data.glob(f"*/{DATASET}")}
        found = (self._known(person, name) for name in sorted(names))
        return tuple(project for project in found if project is not None)

    def project(self, account: str, name: str) -> Project:
        """Return a project; PermissionDenied where one may not see it, RequestError UNKNOWN_PROJECT."""
        person = self._house.allow(account, "see_project", lambda one: permissions.check_see_project(one, name))
        found = self._known(person, name)
        if found is None:
            raise RequestError("UNKNOWN_PROJECT", "there is no project of this name; look at the list of your projects")
        return found

    def title(self, project: Project) -> Words:
        """Return what a project is called: who asked, by which decision, for which year."""
        asked_by = project.policy.actors.requester.name
        decision = f"{project.policy.numbers.decision} ({project.year})"
        return Words(f"{asked_by.nl}: {decision}", f"{asked_by.fr} : {decision}", f"{asked_by.en}: {decision}")

    def names(self, project_id: str) -> dict[str, Label]:
        """Return what the variables of a project are called, for who may see its requests."""
        policy, _ = policy_year(self._house.reference, project_id)
        return {variable.id: variable.label for variable in policy.variables}

    def codes(self, project: Project, variable: str) -> tuple[Code, ...]:
        """Return the classes of a variable of the project."""
        codelist = next(v.codelist for v in project.policy.variables if v.id == variable)
        return self._house.reference.codelists[codelist].rows

    def marks(self, project: Project) -> dict[str, Label]:
        """Return what each mark says to the reader."""
        return project.policy.legend(self._house.reference.house)

    def microdata(self, account: str, name: str, period: str) -> bytes:
        """Return a quarter's coded data as an Arrow stream, for CBSS staff of the project; logged with who it was."""
        person = self._house.allow(account, "open_microdata", lambda one: permissions.check_open_microdata(one, name))
        self._house.require_open(account, "open_microdata", name)
        project = self.project(account, name)
        if period not in project.periods:
            raise RequestError("UNKNOWN_PERIOD", "this quarter is not among those of the project; look at its periods")
        self._house.require_unlocked(account, "open_microdata")
        if project.state == NOT_PREPARED:
            raise RequestError("NOT_PREPARED", "the data of this project were not prepared yet; ask CBSS staff")
        self._house.log(
            person.id, LogAction.KEY_USED, f"{name}/{period}", project=name, operation="microdata opened by person"
        )
        reader = self._house.vault.reader(name, DATASET)
        return _stream(_coded(reader.read(period), codebook(reader.meta(period))))

    def table(self, account: str, name: str, table_id: str) -> bytes:
        """Return a table of the latest release inside as an Arrow stream, for members and checkers."""
        self._house.allow(account, "open_tables", lambda one: permissions.check_open_tables(one, name))
        self._house.require_open(account, "open_tables", name)
        self.project(account, name)
        with self._house.book.view() as view:
            release = latest_inside(view.history(), name)
        found = table_of(self._desk.released(account, release, Stage.INSIDE), table_id)
        if found is None:
            raise RequestError("UNKNOWN_TABLE", "the release has no table of this id; look at the project's tables")
        return _stream(printed(found))

    def _known(self, person: Person, name: str) -> Project | None:
        """Return the project of this name, unless policy or year are not there."""
        try:
            policy, year = policy_year(self._house.reference, name)
            policy.window(year)
        except EnclaveError:
            return None
        rights = {
            "microdata": permissions.may_open_microdata(person, name),
            "tables": permissions.may_open_tables(person, name),
            "request_inside": permissions.may_request(person, name, Stage.INSIDE),
            "request_outside": permissions.may_request(person, name, Stage.OUTSIDE),
        }
        return Project(name, policy, year, tuple(right for right, given in rights.items() if given), self._state(name))

    def _state(self, name: str) -> str:
        if not self._house.retention.is_open(name):
            return CLOSED
        if self._house.locked:
            return LOCKED
        prepared = (self._house.settings.vault / "data" / name / DATASET).is_dir()
        return "open" if prepared else NOT_PREPARED


def printed(table: ProtectedTable) -> pa.Table:
    """Return a table as it is published, one row a cell: codes, period, unit, figure, marks."""
    spec = table.spec
    places = list(product(*(variable.codes for variable in spec.dimensions), spec.periods))
    columns: dict[str, Any] = {}
    for number, variable in enumerate(spec.dimensions):
        columns[variable.id] = _texts([place[number] for place in places])
    columns["TIME_PERIOD"] = _texts([place[-1] for place in places])
    columns["UNIT"] = _texts([spec.unit] * len(places))
    values, marks, structural = (np.moveaxis(array, 0, -1).ravel() for array in _arrays(table))
    words = [str(mark) for mark in marks]
    columns["OBS_VALUE"] = pa.array(values, mask=marks != FREE, type=pa.int64())
    columns["CONF_STATUS"] = _texts([FREE if mark in NO_FIGURE else mark for mark in words])
    columns["OBS_STATUS"] = _texts(
        ["Z" if zero else mark if mark in NO_FIGURE else "A" for zero, mark in zip(structural, words, strict=True)]
    )
    return pa.table(columns)


def _arrays(table: ProtectedTable) -> tuple[NDArray[Any], ...]:
    return table.values, table.marks, table.structural


def _texts(values: list[str]) -> Any:
    return pa.array(values, type=pa.string()).dictionary_encode()


def _coded(columns: Any, codes: Any) -> pa.Table:
    """Return the stored columns with codes as words instead of positions."""
    return pa.table(
        {
            name: pa.DictionaryArray.from_arrays(pa.array(values), pa.array(codes[name], type=pa.string()))
            if name in codes
            else pa.array(values)
            for name, values in columns.items()
        }
    )


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())
