"""The command line as people meet it: sentences and fixed exit codes."""

from pathlib import Path

import pytest

from enclave.cli import main
from enclave.wiring.house import open_house
from tests.lib.policy_files import FOLDER, replace, text_of


def run(*arguments: str) -> int:
    """Run a command; return its exit code."""
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def key_of(root: Path) -> Path:
    """Return where the key file of a house of these tests lies."""
    return root.parent / "medium" / "key"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli") / "house"
    assert run("operator", "init", "--synthetic", "--root", str(root), "--key-file", str(key_of(root))) == 0
    people = root.parent / "people.yaml"
    people.write_text(
        "people:\n"
        "  - {id: staff.one, accounts: [staff.one], roles: [cbss_staff], projects: [advice-17-17-2016]}\n"
        "  - {id: checker.one, accounts: [checker.one], roles: [output_checker], trained_until: 2030-01-01}\n",
        encoding="utf-8",
    )
    assert run("operator", "enrol", "--as", "steward.one", "--root", str(root), str(people)) == 0
    return root


def test_a_folder_without_a_house_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fsck", "--root", str(tmp_path / "nothing")) == 14
    assert "enclave operator init" in capsys.readouterr().err


def test_a_house_is_never_made_over_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert run("operator", "init", "--root", str(tmp_path), "--key-file", str(key_of(tmp_path))) == 14
    assert "ROOT_NOT_EMPTY" in capsys.readouterr().err
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_the_shipped_policy_loads(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "check", str(FOLDER / "advice-17-17.yaml")) == 0
    assert "17/17 (SCSZG/17/059), loads" in capsys.readouterr().out


def test_a_threshold_of_four_is_refused_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "advice-17-17.yaml"
    changed = replace(text_of("advice-17-17.yaml"), "minimum_frequency: {value: 5,", "minimum_frequency: {value: 4,")
    path.write_text(changed, encoding="utf-8")
    assert run("policy", "check", str(path)) == 10
    told = capsys.readouterr().err
    assert "BELOW_HOUSE_FLOOR" in told
    assert "advice-17-17.yaml, line" in told


def test_nobody_plays_another_in_a_house_for_real_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "house"
    assert run("operator", "init", "--root", str(root), "--key-file", str(key_of(root))) == 0
    assert run("request", "list", "--root", str(root), "--as", "checker.one") == 12
    assert "AS_NOT_ALLOWED" in capsys.readouterr().err


def test_who_is_not_enrolled_is_refused_and_the_refusal_logged(house: Path) -> None:
    assert run("request", "list", "--root", str(house), "--as", "nobody.one") == 12
    assert run("log", "verify", "--root", str(house), "--anchor", str(house / "anchor" / "log-head.json")) == 0


def test_only_stewards_and_operators_enrol_once_there_are_people(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = str(house.parent / "people.yaml")
    assert run("operator", "enrol", "--as", "checker.one", "--root", str(house), people) == 12
    assert "NOT_STEWARD" in capsys.readouterr().err


def test_preparing_without_deliveries_names_what_is_missing(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--root", str(house), "--as", "staff.one", "--year", "2016", "--key-file", str(key_of(house)))
    assert run("prepare", *arguments, "advice-17-17") == 13
    assert "support 2009-Q2" in capsys.readouterr().err


def test_a_checker_does_not_open_microdata(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prepare", "--root", str(house), "--as", "checker.one", "--year", "2016", "advice-17-17") == 12
    assert "NOT_CBSS_STAFF" in capsys.readouterr().err
    with open_house(house) as opened, opened.book.connection(reading=True) as connection:
        last = list(opened.book.audit.lines(connection))[-1][0]
    assert b'"action":"refused"' in last
    assert b'"operation":"prepare"' in last


def test_a_year_before_the_first_is_refused(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prepare", "--root", str(house), "--as", "staff.one", "--year", "2015", "advice-17-17") in {10, 12}
    assert capsys.readouterr().err


def test_usage_errors_have_their_own_code() -> None:
    assert run("review", "vote", "--root", "x", "r", "perhaps") == 2
