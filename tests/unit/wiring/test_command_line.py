"""The command line as people meet it: sentences and fixed exit codes."""

from datetime import date
from pathlib import Path

import pytest

from enclave.cli import main
from enclave.wiring.house import made_up_people, open_house
from tests.lib.house_kit import key_path, log_lines, made_house
from tests.lib.policy_files import FOLDER, replace, text_of


def run(*arguments: str) -> int:
    """Run a command; return its exit code."""
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli") / "house"
    assert run("operator", "init", "--synthetic", "--root", str(root), "--key-file", str(key_path(root))) == 0
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
    assert run("operator", "init", "--root", str(tmp_path), "--key-file", str(key_path(tmp_path))) == 14
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
    assert run("operator", "init", "--root", str(root), "--key-file", str(key_path(root))) == 0
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
    arguments = ("--root", str(house), "--as", "staff.one", "--year", "2016", "--key-file", str(key_path(house)))
    assert run("prepare", *arguments, "advice-17-17") == 13
    assert "support 2009-Q2" in capsys.readouterr().err


def test_a_checker_does_not_open_microdata(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--root", str(house), "--as", "checker.one", "--year", "2016", "--key-file", str(key_path(house)))
    assert run("prepare", *arguments, "advice-17-17") == 12
    assert "NOT_CBSS_STAFF" in capsys.readouterr().err
    with open_house(house) as opened, opened.book.connection(reading=True) as connection:
        last = list(opened.book.audit.lines(connection))[-1][0]
    assert b'"action":"refused"' in last
    assert b'"operation":"prepare"' in last


def test_a_year_before_the_first_is_refused(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--root", str(house), "--as", "staff.one", "--year", "2015", "--key-file", str(key_path(house)))
    assert run("prepare", *arguments, "advice-17-17") in {10, 12}
    assert capsys.readouterr().err


def test_usage_errors_have_their_own_code() -> None:
    assert run("review", "vote", "--root", "x", "r", "perhaps") == 2


VAULT_COMMANDS = {
    "intake": ("--as", "steward.one", "FOLDER"),
    "prepare": ("--as", "staff.one", "--year", "2016", "advice-17-17"),
    "produce": ("--as", "staff.one", "--year", "2016", "--purpose", "p", "advice-17-17"),
    "derive": ("--as", "analyst.one", "--year", "2016", "--purpose", "p", "--results", "RESULTS", "advice-17-17"),
    "fsck": (),
}


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a house in which everybody of the demonstration is enrolled, and a small delivery beside it."""
    root = tmp_path_factory.mktemp("locked") / "house"
    opener = made_house(root)
    with open_house(root, opener) as house:
        house.register.enrol(made_up_people("advice-17-17-2016", date(2030, 1, 1)), "steward.one")
    return root


@pytest.mark.parametrize("command", VAULT_COMMANDS)
def test_a_command_that_needs_the_vault_says_who_can_open_it(
    peopled: Path, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = {"FOLDER": str(tmp_path), "RESULTS": str(FOLDER / "results" / "advice-17-17.yaml")}
    words = [folders.get(word, word) for word in VAULT_COMMANDS[command]]
    assert run(command, "--root", str(peopled), *words) == 14
    told = capsys.readouterr().err
    assert "VAULT_LOCKED" in told
    assert "the key file" in told
    assert "--key-file" in told


def test_a_wrong_key_a_missing_medium_and_a_wrong_kind_are_sentences(
    peopled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_house(tmp_path / "other")
    for given, code, exit_code in (
        (("--key-file", str(key_path(tmp_path / "other"))), "UNLOCK_REFUSED", 12),
        (("--key-file", str(tmp_path / "nothing")), "MEDIUM_MISSING", 14),
        (("--share-file", str(key_path(peopled))), "UNLOCK_OTHERWISE", 14),
        (("--key-file", str(FOLDER / "house.yaml")), "NOT_PRIVATE", 14),
        (("--passphrase-fd", "987"), "PASSPHRASE_FD", 14),
        (("--passphrase-fd", "3", "--key-file", "x"), "ONE_WAY", 14),
    ):
        assert run("fsck", "--root", str(peopled), *given) == exit_code, code
        assert code in capsys.readouterr().err


def test_what_needs_no_vault_is_done_in_a_locked_house(peopled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ("--root", str(peopled))
    assert run("request", "list", *root, "--as", "checker.one") == 0
    assert run("log", "verify", *root) == 0
    assert run("operator", "status", *root) == 0
    assert run("review", "vote", *root, "--as", "checker.one", "no-such-request", "approve") == 11
    assert "VAULT_LOCKED" not in capsys.readouterr().err


def test_each_unlocking_by_a_command_is_logged(peopled: Path) -> None:
    before = sum("vault_unlocked" in line for line in log_lines(peopled))
    assert run("fsck", "--root", str(peopled), "--key-file", str(key_path(peopled))) == 0
    assert sum("vault_unlocked" in line for line in log_lines(peopled)) == before + 1


def test_a_house_is_made_with_shares_and_opened_by_enough_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, shares = tmp_path / "house", tmp_path / "shares"
    assert run("operator", "init", "--root", str(root), "--shares", "2", "3", "--shares-to", str(shares)) == 0
    files = [str(path) for path in sorted(shares.iterdir())]
    words = ("fsck", "--root", str(root))
    assert run(*words, "--share-file", files[2], "--share-file", files[0]) == 0
    assert run("operator", "status", "--root", str(root)) == 0
    assert "opened by 2 of the 3 shares; generation 1" in capsys.readouterr().out
    for wrong, code in (((files[0],), "SHARES_TOO_FEW"), ((files[0], files[0]), "SHARE_TWICE")):
        assert run(*words, *(word for path in wrong for word in ("--share-file", path))) == 14
        assert code in capsys.readouterr().err


def test_a_house_is_not_made_where_nobody_says_how_to_protect_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("operator", "init", "--root", str(tmp_path / "house"), "--shares", "2", "3") == 14
    assert "ONE_WAY" in capsys.readouterr().err
    key = tmp_path / "house" / "key"
    assert run("operator", "init", "--root", str(tmp_path / "house"), "--key-file", str(key)) == 14
    assert "KEY_IN_THE_HOUSE" in capsys.readouterr().err
    assert not (tmp_path / "house").exists()
