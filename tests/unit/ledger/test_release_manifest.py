import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from enclave.errors import EnclaveBug
from enclave.ledger.manifest import Approval, canonical_json, manifest
from enclave.ledger.release_content import Json, RuleApplied
from enclave.ledger.release_files import render
from tests.lib.releases import content

MOMENT = datetime(2026, 11, 2, 13, 30, tzinfo=timezone(timedelta(hours=1)))


def made(files: dict[str, bytes], created: datetime = MOMENT) -> bytes:
    approvals = [Approval("output_checker", "ab" * 8)]
    return manifest(content(), files, release_id="r1", created=created, approvals=approvals, log_head="cd" * 32)


def test_it_names_everything_that_the_format_asks_for() -> None:
    files = render(content())
    told = json.loads(made(files))
    assert told["release"] == "r1"
    assert (told["project"], told["stage"], told["stamp"]) == ("advice-17-17-2016", "inside", "SYNTHETIC")
    assert told["policy"]["numbers"] == {"dossier": "SCSZG/17/059", "decision": "17/17"}
    assert (told["policy"]["version"], told["policy"]["sha256"]) == (1, "ab" * 32)
    assert told["approvals"] == [{"role": "output_checker", "key_id": "ab" * 8}]
    assert told["created"] == "2026-11-02T12:30:00Z"
    assert told["previous_log_head"] == "cd" * 32
    assert told["rules"] == [{"name": "minimum_frequency", "parameters": {"value": 5}, "paragraph": "7"}]
    assert told["attackers"] == [{"kind": "outsider", "cells_attacked": 10, "passed": True}]
    assert told["data_snapshot"] == "0f" * 16
    assert told["tools"] == {"enclave": "0.1.0"}
    assert told["files"] == {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    (mark,) = told["marks"]
    assert (mark["code"], mark["minimum"], mark["maximum"]) == ("C", 0, None)
    assert set(mark["meaning"]) == {"nl", "fr", "en"}


def test_it_describes_each_table() -> None:
    first, _, third = json.loads(made({}))["tables"]
    assert (first["id"], first["file"], first["dimensions"]) == ("t1", "tables/t1.csv", ["sex", "position"])
    assert (first["population"], first["unit"], first["measure"]) == ("clients-2016", "person", "count")
    assert (first["decimals"], first["cells"], first["hidden"]) == (0, 36, 10)
    assert (first["periods"], first["constant"]) == (["2009-Q2", "2009-Q3"], ["sex"])
    assert set(first["title"]) == {"nl", "fr", "en"}
    assert (first["filter"], third["filter"]) == ({}, {"position": "12|2"})


def test_its_spelling_is_canonical() -> None:
    data = made({"b": b"", "a": b""})
    again = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert data == again
    assert data == made({"a": b"", "b": b""})


def test_what_stays_inside_is_not_named() -> None:
    words = made({}).decode().lower()
    assert not any(word in words for word in ("primary", "secondary", "interval", "lower_bound"))


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(EnclaveBug, match="CREATED_NAIVE"):
        made({}, created=datetime(2026, 11, 2, tzinfo=UTC).replace(tzinfo=None))


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.sig"])
def test_a_manifest_does_not_hold_itself(name: str) -> None:
    with pytest.raises(EnclaveBug, match="MANIFEST_TWICE"):
        made({name: b""})


def test_fractions_have_no_canonical_spelling() -> None:
    with pytest.raises(EnclaveBug, match="JSON_VALUE"):
        canonical_json({"a": [{"b": 0.1}]})  # type: ignore[dict-item]
    with pytest.raises(EnclaveBug, match="JSON_KEY"):
        canonical_json({1: "a"})  # type: ignore[dict-item]


def test_rules_may_hold_nested_parameters() -> None:
    parameters: dict[str, Json] = {"dominance": {"n": 1, "k": 85}, "kinds": ["a"], "strict": True, "none": None}
    rule = RuleApplied("dominance", parameters, "15")
    data = manifest(replace(content(), rules=(rule,)), {}, release_id="r1", created=MOMENT, approvals=[], log_head="00")
    assert json.loads(data)["rules"][0]["parameters"] == parameters
