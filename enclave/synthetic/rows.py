"""The rows of each source, as texts: columns and codes as `policies/sources/*.yaml` asks for them."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from enclave.synthetic import identifiers
from enclave.synthetic.assumptions import HOUSEHOLDS, POSITIONS
from enclave.synthetic.chance import Ints
from enclave.synthetic.references import References, Region
from enclave.synthetic.support import Spells
from enclave.synthetic.world import Snapshot, World

Texts = NDArray[np.object_]
Rows = dict[str, Texts]
"""Columns by name, all of one length; "" is "no value"."""

_CLUSTER_SHARES = (5, 5, 2)
"""Of the clusters, for Flanders, Wallonia and Brussels (assumed)."""
_TYPOLOGY_FROM = date(2001, 1, 1)
_TYPOLOGY_CHANGE = date(2010, 1, 1)
"""One town passes to another cluster on this day, within the first year's groups."""


def support_rows(world: World, spells: Spells, references: References) -> Rows:
    """Return one row per spell, ordered by identification number and start."""
    order = np.lexsort((spells.start, world.people.number[spells.person]))
    numbers = world.people.number[spells.person[order]]
    return {
        "insz": identifiers.as_texts(numbers),
        "regime": _either(spells.is_equivalent[order], "RMH", "RMI"),
        "form": _either(spells.is_activation[order], "activation", "living_wage"),
        "start": _days(spells.start[order]),
        "end": _days(spells.end[order]),
        "municipality": _codes(references)[spells.centre[order]],
    }


def register_rows(world: World, snapshot: Snapshot, members: Ints, insz: Texts, references: References) -> Rows:
    """Return one row per member; `insz` holds their numbers as texts."""
    death = snapshot.death[members]
    return {
        "insz": insz,
        "sex": _either(world.people.male[members], "M", "F"),
        # The last code stands for NOWHERE, which is -1, and for UNKNOWN_HOUSEHOLD.
        "municipality": np.append(_codes(references), "")[snapshot.home[members]],
        "lipro": _texts((*HOUSEHOLDS, ""))[snapshot.household[members]],
        "origin": _either(snapshot.foreign[members], "VR", "BE"),
        "death": np.where(death > 0, _days(death), ""),
    }


def position_rows(snapshot: Snapshot, members: Ints, insz: Texts) -> Rows:
    """Return one row per member; `insz` holds their numbers as texts."""
    return {"insz": insz, "position": _texts(POSITIONS)[snapshot.position[members]]}


def cluster_rows(references: References) -> Rows:
    """Return the typology: each region has clusters of its own, by number of inhabitants; one town changes cluster."""
    rows: list[tuple[str, str, str, str]] = []
    groups = _clusters(references)
    moved = groups[0][1][len(groups[0][1]) // 2]
    for code, municipalities in groups:
        rows += [(one, code, _TYPOLOGY_FROM.isoformat(), "") for one in municipalities if one != moved]
    before = date.fromordinal(_TYPOLOGY_CHANGE.toordinal() - 1).isoformat()
    rows.append((moved, groups[0][0], _TYPOLOGY_FROM.isoformat(), before))
    rows.append((moved, groups[1][0], _TYPOLOGY_CHANGE.isoformat(), ""))
    names = ("municipality", "cluster", "valid_from", "valid_to")
    return {name: _texts(column) for name, column in zip(names, zip(*sorted(rows), strict=True), strict=True)}


def _clusters(references: References) -> list[tuple[str, list[str]]]:
    """Return each cluster with its municipalities, largest first."""
    ends = np.rint(np.cumsum(_CLUSTER_SHARES) * len(references.clusters) / sum(_CLUSTER_SHARES)).astype(np.int64)
    groups: list[tuple[str, list[str]]] = []
    for region, codes in zip(Region, np.split(np.array(references.clusters), ends[:-1]), strict=True):
        inside = [one for one in references.municipalities if one.region is region]
        inside.sort(key=lambda one: (-one.population, one.code))
        parts = np.array_split(np.array([one.code for one in inside]), len(codes))
        groups += [(str(code), part.tolist()) for code, part in zip(codes, parts, strict=True)]
    return groups


def _codes(references: References) -> Texts:
    return _texts([one.code for one in references.municipalities])


def _texts(values: Sequence[str]) -> Texts:
    return np.array(values, dtype=object)


def _either(choice: NDArray[np.bool_], yes: str, no: str) -> Texts:
    return _texts((no, yes))[choice.astype(np.int64)]


def _days(days: NDArray[np.int32]) -> Texts:
    """Return days since 1970-01-01 as texts such as 2009-04-01."""
    different, place = np.unique(days, return_inverse=True)
    return np.datetime_as_string(different.astype("datetime64[D]")).astype(object)[place]
