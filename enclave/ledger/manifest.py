"""`manifest.json`: what a release is, and the hash of each of its files. Its bytes are what is signed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from enclave.errors import EnclaveBug
from enclave.ledger.release_content import NO_FIGURE, SYNTHETIC, Json, MarkMeaning, ReleaseContent, ReleaseTable

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
FORMAT = "release/1"
"""Version of the release format; verifiers refuse what they do not know."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who let the release go, without a name: the role, and the id of the key that approved."""

    role: str
    key_id: str


def manifest(
    content: ReleaseContent,
    files: Mapping[str, bytes],
    *,
    release_id: str,
    created: datetime,
    approvals: Sequence[Approval],
    log_head: str,
) -> bytes:
    """Return the manifest of these files as canonical JSON; `log_head` is the head of the audit log before the release.

    Raises EnclaveBug when `created` has no time zone or `files` already holds a manifest.
    """
    if created.tzinfo is None:
        raise EnclaveBug("CREATED_NAIVE", "the time of a release needs its time zone")
    if {MANIFEST, SIGNATURE} & set(files):
        raise EnclaveBug("MANIFEST_TWICE", "a manifest cannot hold its own hash; give the other files only")
    return canonical_json(
        {
            "format": FORMAT,
            "release": release_id,
            "stamp": SYNTHETIC if content.synthetic else None,
            "project": content.project,
            "stage": content.stage.value,
            "title": {**content.title.as_dict()},
            "policy": _policy(content),
            "approvals": [{"role": approval.role, "key_id": approval.key_id} for approval in approvals],
            "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "previous_log_head": log_head,
            "rules": [
                {"name": r.name, "parameters": dict(r.parameters), "paragraph": r.paragraph} for r in content.rules
            ],
            "attackers": [
                {"kind": run.kind, "cells_attacked": run.cells_attacked, "passed": run.passed}
                for run in content.attackers
            ],
            "data_snapshot": content.data_snapshot,
            "tools": {**content.tools},
            "marks": [_mark(meaning) for meaning in content.marks],
            "tables": [_table(entry) for entry in content.tables],
            "files": {path: hashlib.sha256(data).hexdigest() for path, data in files.items()},
        }
    )


def canonical_json(value: Json) -> bytes:
    """Return the one spelling of a value: UTF-8, sorted keys, no spaces; EnclaveBug for fractions."""
    _refuse_fractions(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _refuse_fractions(value: object) -> None:
    """Refuse fractions: they have no one spelling, and would make equal manifests differ."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_fractions(inner)
            if not isinstance(key, str):
                raise EnclaveBug("JSON_KEY", f"key {key!r} is not a text")
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_fractions(inner)
    elif not isinstance(value, str | int | None):
        raise EnclaveBug(
            "JSON_VALUE", f"a {type(value).__name__} has no canonical spelling; give a text or a whole number"
        )


def _policy(content: ReleaseContent) -> Json:
    policy = content.policy
    return {
        "id": policy.id,
        "numbers": {"dossier": policy.dossier, "decision": policy.decision},
        "version": policy.version,
        "sha256": policy.sha256,
    }


def _mark(meaning: MarkMeaning) -> Json:
    mark = meaning.mark
    return {
        "code": mark.code,
        "minimum": mark.minimum,
        "maximum": mark.maximum,
        "meaning": {**meaning.meaning.as_dict()},
    }


def _table(entry: ReleaseTable) -> Json:
    table, spec = entry.table, entry.table.spec
    hidden = ~table.shown & ~np.isin(table.marks, list(NO_FIGURE))
    return {
        "id": spec.id,
        "file": f"tables/{spec.id}.csv",
        "title": {**entry.title.as_dict()},
        "dimensions": [variable.id for variable in spec.dimensions],
        "population": spec.population,
        "filter": {variable.id: code for variable, code in spec.filters},
        "unit": spec.unit,
        "measure": spec.measure,
        "decimals": table.decimals,
        "data_date": spec.data_date,
        "periods": list(spec.periods),
        "constant": sorted(spec.constant),
        "cells": int(hidden.size),
        "hidden": int(hidden.sum()),
    }
