"""Every attempt of bypass.yaml meets a refusal that names file, line and what to do. None is accepted."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from enclave.errors import PolicyError
from enclave.policy.house import load_house
from enclave.policy.load import load_any
from enclave.policy.source import SourceSchema
from tests.lib.policy_files import ADVICE, DELIBERATION, codelists, house, put, replace, sources, text_of

ATTEMPTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("bypass.yaml").read_text(encoding="utf-8"))


def _patched(attempt: dict[str, Any]) -> tuple[str, str]:
    file = attempt.get("file", ADVICE)
    before = text = text_of(file)
    if "replace" in attempt:
        text = replace(text, *attempt["replace"])
    if "put" in attempt:
        text = put(text, *attempt["put"])
    text += attempt.get("append", "")
    assert text != before
    return file, text


def _load(file: str, text: str) -> object:
    if file in {ADVICE, DELIBERATION}:
        return load_any(file, text, house(), codelists(), sources())
    return load_house(file, text) if file == "house.yaml" else SourceSchema.from_yaml(file, text)


def test_there_are_many_attempts_each_with_its_own_name() -> None:
    names = [attempt["name"] for attempt in ATTEMPTS]
    assert len(names) >= 250
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt["name"])
def test_attempt_is_refused(attempt: dict[str, Any]) -> None:
    file, text = _patched(attempt)

    with pytest.raises(PolicyError) as refusal:
        _load(file, text)

    assert refusal.value.code == attempt["code"], refusal.value.message
    for sentence in refusal.value.message.split("\n"):
        assert re.match(rf"{re.escape(file)}, line \d+[:,] ", sentence), sentence
        assert re.search("; |, and must be ", sentence), f"no word on what to do: {sentence}"


@pytest.mark.parametrize("file", sorted({attempt.get("file", ADVICE) for attempt in ATTEMPTS}))
def test_the_files_without_a_patch_are_accepted(file: str) -> None:
    assert _load(file, text_of(file))
