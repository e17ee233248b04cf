"""The commands that look at policies, and what a deliberation answers to those that work on data."""

from pathlib import Path

import pytest

from enclave.cli import main
from tests.lib.house_kit import key_path
from tests.lib.policy_files import FOLDER, replace, text_of


def run(*arguments: str) -> int:
    """Run a command; return its exit code."""
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_every_shipped_policy_loads_whatever_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "check") == 0
    told = capsys.readouterr().out
    assert "advice 17/17 (SCSZG/17/059), loads" in told
    assert "deliberation 15/018 (SCSZG/15/039), loads" in told


@pytest.mark.parametrize(
    ("language", "title"), [("nl", "Beraadslaging"), ("fr", "Délibération"), ("en", "Deliberation")]
)
def test_a_policy_is_printed_in_a_language(language: str, title: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "show", "--language", language, str(FOLDER / "deliberation-15-018.yaml")) == 0
    assert capsys.readouterr().out.startswith(f"{title} 15/018 ")


def test_what_changes_between_two_policies_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = FOLDER / "advice-17-17.yaml", tmp_path / "advice-17-17.yaml"
    new.write_text(replace(text_of("advice-17-17.yaml"), "review: 2027-04-04", "review: 2026-04-04"), encoding="utf-8")
    assert run("policy", "diff", str(old), str(new)) == 0
    assert capsys.readouterr().out == "NARROWER: retention.review is '2026-04-04' and was '2027-04-04'\n"
    assert run("policy", "diff", str(old), str(old)) == 0
    assert "nothing changes" in capsys.readouterr().out


def test_policies_of_two_kinds_are_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(FOLDER / name) for name in ("advice-17-17.yaml", "deliberation-15-018.yaml")]
    assert run("policy", "diff", *files) == 11
    assert "POLICY_KINDS" in capsys.readouterr().err


def test_a_deliberation_is_not_prepared_yet_and_the_refusal_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "house"
    assert run("operator", "init", "--synthetic", "--root", str(root), "--key-file", str(key_path(root))) == 0
    where = ("--root", str(root), "--key-file", str(key_path(root)), "--as", "staff.one", "--year", "2013")
    for command in (("prepare",), ("produce", "--purpose", "test")):
        assert run(*command, *where, "deliberation-15-018") == 11
        told = capsys.readouterr().err
        assert "KIND_NOT_BUILT" in told
        assert "linking, coding and opening its data sets are not built yet" in told
