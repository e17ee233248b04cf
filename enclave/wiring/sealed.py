"""What the gateway keeps sealed: packages by content, and the truth behind each printed table."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from enclave.errors import EnclaveBug, IntegrityError
from enclave.gateway.binding import Package
from enclave.sdc.attacker import Witness
from enclave.sdc.history import Released
from enclave.sdc.table import Hierarchy, Mark, ProtectedTable, Table, TableSpec, Variable
from enclave.vault.store import Vault

GATEWAY = "gateway"
"""The vault's project for packages: public files before they are public."""

_BODY = "body.json"
_FILES = "files/"


@dataclass(frozen=True, slots=True)
class SealedPackages:
    """Packages in the vault, addressed by their digest."""

    vault: Vault

    def seal(self, package: Package) -> str:
        """Keep a package; return its digest."""
        self.vault.seal(GATEWAY, f"package.{package.digest}", _zip({_BODY: package.body, **_prefixed(package.files)}))
        return package.digest

    def read(self, digest: str) -> Package:
        """Return the package with this digest; IntegrityError when it is missing or changed."""
        members = _unzip(self.vault.unseal(GATEWAY, f"package.{digest}"))
        files = {name.removeprefix(_FILES): data for name, data in members.items() if name != _BODY}
        package = Package(files, members[_BODY])
        if package.digest != digest:
            raise IntegrityError("PACKAGE_CHANGED", "a sealed package is not the one that was named; release nothing")
        return package


@dataclass(frozen=True, slots=True)
class SealedTruth:
    """The true figures behind a package, under the project's own key: destroyed with the project."""

    vault: Vault

    def seal(self, project: str, digest: str, released: Sequence[Released], witnesses: Sequence[Witness]) -> None:
        """Keep the truth behind the package with this digest, and the proof that it is safe."""
        members = {"tables.json": json.dumps([_describe(entry) for entry in released]).encode()}
        for number, entry in enumerate(released):
            members[f"{number}.npz"] = _arrays(entry)
        self.vault.seal(project, f"truth.{digest}", _zip(members))
        self.vault.seal(project, f"proof.{digest}", _proof(witnesses))

    def proof(self, project: str, digest: str) -> tuple[Witness, ...]:
        """Return the witnesses for the package with this digest: hints for another attack, nothing to be believed."""
        with np.load(_unpacked(self.vault.unseal(project, f"proof.{digest}")), allow_pickle=False) as arrays:
            ends = np.cumsum(arrays["lengths"])[:-1]
            parts = zip(np.split(arrays["cells"], ends), np.split(arrays["values"], ends), strict=True)
            return tuple(Witness(cells, values) for cells, values in parts) if arrays["lengths"].size else ()

    def read(self, project: str, digest: str) -> tuple[Released, ...]:
        """Return the truth behind the package with this digest."""
        members = _unzip(self.vault.unseal(project, f"truth.{digest}"))
        described = json.loads(members["tables.json"])
        return tuple(_restore(entry, members[f"{number}.npz"]) for number, entry in enumerate(described))


def _prefixed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {_FILES + path: data for path, data in files.items()}


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name), members[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _unzip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _describe(entry: Released) -> dict[str, Any]:
    spec = entry.table.spec
    if entry.protected.spec != spec or entry.protected.decimals:
        raise EnclaveBug("TRUTH_SPEC", "a printed table and its truth must have one specification")
    return {
        "id": spec.id,
        "dimensions": [_variable(variable) for variable in spec.dimensions],
        "filters": [[_variable(variable), code] for variable, code in spec.filters],
        "periods": list(spec.periods),
        "population": spec.population,
        "unit": spec.unit,
        "measure": spec.measure,
        "constant": sorted(spec.constant),
        "data_date": spec.data_date,
        "marks": [[mark.code, mark.minimum, mark.maximum] for mark in entry.marks],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {"id": variable.id, "hierarchies": [list(hierarchy.parents) for hierarchy in variable.hierarchies]}


def _arrays(entry: Released) -> bytes:
    buffer = io.BytesIO()
    printed = entry.protected
    np.savez(
        buffer, truth=entry.table.values, printed=printed.values, marks=printed.marks, structural=printed.structural
    )
    return buffer.getvalue()


def _proof(witnesses: Sequence[Witness]) -> bytes:
    """Return all witnesses in a few bytes: most differ little from the one before, which zstd sees far back."""
    none = [np.zeros(0, dtype=np.int64)]
    buffer = io.BytesIO()
    np.savez(
        buffer,
        lengths=np.array([len(witness.cells) for witness in witnesses], dtype=np.int64),
        cells=np.concatenate([*none, *(witness.cells for witness in witnesses)]),
        values=np.concatenate([*none, *(witness.values for witness in witnesses)]),
    )
    packed: bytes = pa.Codec("zstd", compression_level=3).compress(buffer.getvalue(), asbytes=True)
    return packed


def _unpacked(proof: bytes) -> io.BytesIO:
    with pa.CompressedInputStream(pa.BufferReader(proof), "zstd") as packed:
        return io.BytesIO(packed.read())


def _restore(described: Mapping[str, Any], data: bytes) -> Released:
    spec = TableSpec(
        id=described["id"],
        dimensions=tuple(_restore_variable(variable) for variable in described["dimensions"]),
        periods=tuple(described["periods"]),
        population=described["population"],
        unit=described["unit"],
        measure=described["measure"],
        filters=tuple((_restore_variable(variable), code) for variable, code in described["filters"]),
        constant=frozenset(described["constant"]),
        data_date=described["data_date"],
    )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Released(
            Table(spec, arrays["truth"]),
            ProtectedTable(spec, arrays["printed"], arrays["marks"], arrays["structural"]),
            tuple(Mark(code, minimum, maximum) for code, minimum, maximum in described["marks"]),
        )


def _restore_variable(described: Mapping[str, Any]) -> Variable:
    hierarchies = tuple(
        Hierarchy(tuple((code, parent) for code, parent in parents)) for parents in described["hierarchies"]
    )
    return Variable(described["id"], hierarchies)
