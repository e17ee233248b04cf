"""The project's data set: where it stands, what its facts say, and the id of the state of the data.

Project: `advice-17-17-2016`. Data set: `persons`, one partition per quarter. Columns: `person` (int64, the code), then
each variable of the policy (int8, or int16 for more than 127 classes): positions in its codes of the codebook.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclave.errors import IntegrityError, PolicyError, SetupError
from enclave.linkage.ports import Store

Columns = Mapping[str, NDArray[Any]]

DATASET = "persons"
PERSON = "person"
"""Column with the code of the person, and the coding domain."""


def codebook(facts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the codes of each variable, in the order that stored values are positions in, from a partition's facts."""
    return {variable: tuple(codes) for variable, codes in json.loads(facts["codebook"]).items()}


def data_snapshot(store: Store, project: str) -> str:
    """Return the id of the state of a project's data: it changes when the content does.

    SetupError if the data was never prepared; IntegrityError if preparing it was interrupted, so that the quarters are
    of two states: nothing may be counted from them.
    """
    partitions = store.partitions(project, DATASET)
    facts = [store.meta(project, DATASET, partition) for partition in partitions]
    if not facts:
        raise SetupError("NOT_PREPARED", f"the data of {project} was never prepared; run `enclave prepare`")
    is_whole = set(json.loads(facts[0]["periods"])) == set(partitions)
    if not is_whole or len({of_quarter["snapshot"] for of_quarter in facts}) != 1:
        message = f"preparing the data of {project} was interrupted; run `enclave prepare` again, then start over"
        raise IntegrityError("PREPARE_INTERRUPTED", message)
    return facts[0]["snapshot"]


def keep(
    store: Store,
    project: str,
    partitions: Mapping[str, Columns],
    facts: Mapping[str, Mapping[str, str]],
    new_id: Callable[[], str],
) -> tuple[str, bool]:
    """Store the partitions, with their facts, unless they are there already.

    Return the id of the state of the data, and whether it is a new one: it stays as long as columns and codebook of all
    partitions do. PolicyError where the project holds partitions that are not among these.
    """
    stored = {name: store.meta(project, DATASET, name) for name in store.partitions(project, DATASET)}
    if not stored.keys() <= partitions.keys():
        message = f"{project} holds quarters outside the window of its policy; give a policy with a new window a new id"
        raise PolicyError("OTHER_WINDOW", message)
    ids = {of_partition["snapshot"] for of_partition in stored.values()}
    is_new = (
        len(ids) != 1
        or stored.keys() != partitions.keys()
        or any(stored[name]["codebook"] != facts[name]["codebook"] for name in stored)
        or any(_differ(store.read(project, DATASET, name), partitions[name]) for name in stored)
    )
    snapshot = new_id() if is_new else ids.pop()
    for name, columns in partitions.items():
        wanted = {**facts[name], "snapshot": snapshot}
        if stored.get(name) != wanted:
            store.write(project, DATASET, name, columns, meta=wanted, replace=True)
    return snapshot, is_new


def _differ(one: Columns, other: Columns) -> bool:
    return one.keys() != other.keys() or any(not np.array_equal(one[name], other[name]) for name in one)
