"""What goes with a project and what stays, found on disk and in the book. No key is needed to say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enclave.gateway.ports import View
from enclave.linkage.taken import PROJECT as INTAKE
from enclave.vault import files
from enclave.wiring.retention import OF_THE_HOUSE
from enclave.wiring.settings import Settings

HOMES = "homes"
"""Where a workbench has people's homes, beside its house."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One project's destruction, before it is begun."""

    project: str
    datasets: tuple[str, ...]
    deliveries: bool
    others: tuple[str, ...]
    """Other projects with data, for which deliveries stay."""
    folders: tuple[Path, ...]
    releases: tuple[str, ...]

    def goes(self) -> Iterator[str]:
        """Yield what would go, a line each."""
        yield "the key of the project: what it opens is unreadable in every copy"
        yield from (described(name) for name in self.datasets)
        if self.deliveries:
            yield "deliveries and their quarantine: no other project needs them"
        yield from (f"folder {folder}" for folder in self.folders)

    def stays(self) -> Iterator[str]:
        """Yield what would stay, a line each."""
        yield "audit log, requests and votes"
        yield "packages as they were to be published: they hold no hidden figure"
        yield from (f"release {release}, with its manifest" for release in self.releases)
        if not self.deliveries:
            yield f"deliveries and their quarantine, for {', '.join(self.others) or 'projects to come'}"


def plan_of(settings: Settings, view: View, project: str) -> Plan:
    """Return the plan for a project as things stand."""
    data = settings.vault / "data"
    datasets = tuple(sorted(name for name in files.names_in(data / project) if not name.startswith(files.HALF)))
    with_data = files.names_in(data) - OF_THE_HOUSE - {project}
    others = tuple(sorted(name for name in with_data if files.names_in(data / name)))
    return Plan(
        project,
        datasets,
        bool(datasets) and not others and bool(files.names_in(data / INTAKE)),
        others,
        folders_of(settings, view, project),
        tuple(entry.release for entry in view.history() if entry.project == project),
    )


def folders_of(settings: Settings, view: View, project: str) -> tuple[Path, ...]:
    """Return the folders outside the vault that go with a project: reports, own files, scratch, homes."""
    reports = [settings.reports / request.id for request in view.requests() if request.project == project]
    scratch = [settings.scratch / name for name in sorted(files.names_in(settings.scratch))]
    own, homes = settings.own_files / project, settings.root.resolve().parent / HOMES / project
    return tuple(path for path in (*reports, own, *scratch, homes) if path.exists())


def described(dataset: str) -> str:
    """Say what a data set of the vault is."""
    if dataset.startswith("_coding."):
        return f"coding table '{dataset.removeprefix('_coding.')}'"
    if dataset == "_sealed":
        return "sealed figures behind releases, and their proofs"
    return f"coded data '{dataset}'"
