"""On its last day a project closes, whatever clock, zone, policy file or database somebody turns at."""

import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from enclave.cli import cli
from enclave.errors import EnclaveError, IntegrityError, PolicyError
from enclave.gateway.log_entry import SYSTEM, LogAction
from enclave.gateway.retention import Extension
from enclave.wiring.commands import operating, work
from enclave.wiring.desk.catalogue import Catalogue
from enclave.wiring.desk.desk import Desk
from enclave.wiring.desk.jobs import Jobs
from enclave.wiring.house import House, made_up_people, open_house
from enclave.wiring.workbench.directory import directory_of
from tests.lib import policy_files
from tests.lib.house_kit import made_house, opener_of

PROJECT = "advice-17-17-2016"
END = date(2027, 4, 4)
LAST = datetime(2027, 4, 3, 21, 59, tzinfo=UTC)
"""The last minute of use: summer time in Brussels."""
OVER = LAST + timedelta(minutes=1)


class Clock:
    """The clock of a house, as somebody sets it."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made_house(tmp_path / "house")
    with open_house(tmp_path / "house", opener_of(tmp_path / "house")) as house:
        house.register.enrol(made_up_people(PROJECT, date(2099, 1, 1)), "steward.one")
        house.vault.write(PROJECT, "quarters", "q", {"person": np.arange(3)}, meta={})
    return tmp_path / "house"


def refused(house: House) -> set[str]:
    """Try every opening of the project; return the codes of those that were refused."""
    desk = Desk(house)
    catalogue, jobs = Catalogue(house, desk), Jobs(house)
    tries = (
        lambda: catalogue.microdata("staff.one", PROJECT, "2009-Q2"),
        lambda: catalogue.table("analyst.one", PROJECT, "t1"),
        lambda: jobs.produce("staff.one", PROJECT, "purpose"),
        lambda: jobs.derive("analyst.one", PROJECT, "purpose", []),
        lambda: house.vault.home_key(PROJECT, "analyst.one"),
        lambda: house.vault.read(PROJECT, "quarters", "q"),
        lambda: house.vault.reader(PROJECT, "quarters"),
        lambda: house.vault.write(PROJECT, "quarters", "r", {"person": np.arange(3)}, meta={}),
        lambda: house.vault.seal(PROJECT, "one", b""),
        lambda: house.vault.coder(PROJECT, "person"),
        lambda: house.vault.partitions(PROJECT, "quarters"),
        lambda: work.prepare(house, "staff.one", "advice-17-17", 2016, say=print),
        lambda: work.produce(house, "staff.one", "advice-17-17", 2016, "purpose", say=print),
    )
    codes = set()
    for one in tries:
        with pytest.raises(EnclaveError) as refusal:
            one()
        codes.add(refusal.value.code)
    return codes


def test_at_midnight_in_brussels_every_opening_is_refused_and_whoever_met_it_is_logged(root: Path) -> None:
    clock = Clock(LAST)
    with open_house(root, opener_of(root), clock=clock) as house:
        assert house.vault.read(PROJECT, "quarters", "q")["person"].size == 3
        assert directory_of(house).closed == frozenset()
        clock.moment = OVER
        assert refused(house) == {"RETENTION_PASSED"}
        assert directory_of(house).closed == {PROJECT}
        assert Catalogue(house, Desk(house)).project("analyst.one", PROJECT).state == "closed"
        with house.book.connection(reading=True) as connection:
            logged = [line for line, _ in house.book.audit.lines(connection) if b"RETENTION_PASSED" in line]
    assert len(logged) >= 4


def test_a_clock_that_is_set_back_opens_nothing_since_the_log_has_seen_a_later_time(root: Path) -> None:
    clock = Clock(OVER)
    with open_house(root, opener_of(root), clock=clock) as house:
        house.log(SYSTEM, LogAction.POLICY_LOADED, "house.yaml", policy=house.reference.house.sha256)
    for back in (OVER - timedelta(days=1), datetime(2020, 1, 1, tzinfo=UTC)):
        with open_house(root, opener_of(root), clock=Clock(back)) as house:
            assert refused(house) == {"RETENTION_PASSED"}


def test_the_zone_of_the_machine_counts_for_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Pago_Pago")
    with open_house(root, opener_of(root), clock=Clock(OVER)) as house:
        assert refused(house) == {"RETENTION_PASSED"}


def policies_saying(root: Path, folder: Path, day: str) -> None:
    """Give the house a folder of policies of its own, in which the review stands on another day."""
    shutil.copytree(policy_files.FOLDER, folder)
    text = policy_files.put(policy_files.text_of(policy_files.ADVICE), "retention.review", day)
    (folder / policy_files.ADVICE).write_text(text, encoding="utf-8")
    settings = root / "house.json"
    settings.write_text(settings.read_text().replace(str(policy_files.FOLDER), str(folder)), encoding="utf-8")


def test_a_policy_that_is_edited_to_a_later_day_moves_nothing(root: Path, tmp_path: Path) -> None:
    policies_saying(root, tmp_path / "policies", "2037-04-04")
    with open_house(root, opener_of(root), clock=Clock(OVER)) as house:
        assert house.retention.term(PROJECT).until == END
        assert refused(house) == {"RETENTION_PASSED"}


def test_a_policy_that_is_edited_to_an_earlier_day_counts_at_once(root: Path, tmp_path: Path) -> None:
    policies_saying(root, tmp_path / "policies", "2027-01-01")
    with open_house(root, clock=Clock(LAST)) as house:
        assert house.retention.term(PROJECT).until == date(2027, 1, 1)
        assert not house.retention.is_open(PROJECT)


def test_what_has_no_policy_is_not_opened(root: Path) -> None:
    with open_house(root, opener_of(root)) as house:
        for name in ("advice-99-99-2016", "something", "advice-17-17-x"):
            assert not house.retention.is_open(name)
            with pytest.raises(EnclaveError):
                house.vault.read(name, "quarters", "q")


def test_an_extension_before_the_day_keeps_it_open_and_one_after_it_does_not(root: Path) -> None:
    clock = Clock(OVER + timedelta(days=30))
    late = Extension("18/042", END, "committee", date(2028, 4, 4))
    early = Extension("18/042", END - timedelta(days=1), "committee", date(2028, 4, 4))
    with open_house(root, opener_of(root), clock=clock) as house:
        with pytest.raises(EnclaveError, match="EXTENSION_TOO_LATE"):
            operating.extend(house, "steward.one", PROJECT, late)
        assert not house.retention.is_open(PROJECT)
        operating.extend(house, "steward.one", PROJECT, early)
        assert house.retention.is_open(PROJECT)
    with open_house(root, clock=clock) as house:
        assert house.retention.term(PROJECT).extensions == (early,)
        with house.book.connection(reading=True) as connection:
            lines = [line for line, _ in house.book.audit.lines(connection)]
    assert any(b'"code":"EXTENSION_TOO_LATE"' in line for line in lines)
    assert any(b"retention_extended" in line and b'"actor":"steward.one"' in line for line in lines)


@pytest.mark.parametrize("account", ["staff.one", "analyst.one", "operator.one", "checker.one"])
def test_only_stewards_extend(root: Path, account: str) -> None:
    decided = Extension("18/042", date(2026, 1, 1), "committee", date(2028, 4, 4))
    with open_house(root) as house, pytest.raises(EnclaveError, match="NOT_STEWARD"):
        operating.extend(house, account, PROJECT, decided)


def test_an_extension_that_was_written_past_the_log_is_seen(root: Path) -> None:
    decided = Extension("18/042", date(2026, 1, 1), "committee", date(2028, 4, 4))
    with open_house(root, clock=Clock(LAST)) as house:
        operating.extend(house, "steward.one", PROJECT, decided)
        house.log(SYSTEM, LogAction.POLICY_LOADED, "house.yaml", policy=house.reference.house.sha256)
    with sqlite3.connect(root / "book" / "book.sqlite") as database:
        guard = database.execute("SELECT sql FROM sqlite_master WHERE name = 'log_update'").fetchone()[0]
        database.execute("DROP TRIGGER log_update")
        database.execute("UPDATE log SET entry = replace(entry, '2028-04-04', '2038-04-04')")
        database.execute(guard)
    with open_house(root) as house, pytest.raises(IntegrityError, match="LOG_DAMAGED"):
        house.retention.require_open(PROJECT)


def test_an_entry_of_an_extension_that_came_too_late_moves_nothing(root: Path) -> None:
    """Whoever gets such an entry into the log past the command has gained nothing."""
    late = {"account": "steward.one", "ruling": "18/042", "authority": "committee", "until": "2028-04-04"}
    with open_house(root, clock=Clock(OVER)) as house:
        house.log("steward.one", LogAction.RETENTION_EXTENDED, PROJECT, dated=END.isoformat(), **late)
        assert house.retention.term(PROJECT).until == END


def test_status_warns_ahead(root: Path) -> None:
    for days, words in ((91, "closes on"), (90, "WARNING (90 days)"), (7, "WARNING (7 days)"), (0, "CLOSED since")):
        clock = Clock(datetime(END.year, END.month, END.day, 12, tzinfo=UTC) - timedelta(days=days))
        with open_house(root, clock=clock) as house:
            (line,) = house.retention.lines()
        assert words in line


def test_the_command_line_extends_and_tells_the_status(root: Path) -> None:
    run = CliRunner()
    said = "--project", PROJECT, "--decision", "18/042", "--by", "committee", "--until", "2099-01-01"
    place = "--root", str(root), "--as", "steward.one"
    done = run.invoke(cli, ["operator", "extend", *place, *said, "--dated", "2026-01-01"])
    assert done.exit_code == 0, done.output
    told = run.invoke(cli, ["operator", "status", "--root", str(root)])
    assert f"project {PROJECT}: closes on 2099-01-01" in told.output
    late = run.invoke(cli, ["operator", "extend", *place, *said[:-1], "2100-01-01", "--dated", "2099-01-01"])
    assert isinstance(late.exception, EnclaveError)
    assert late.exception.code == "EXTENSION_AHEAD"


def test_a_release_comes_too_late_with_data_whose_day_is_over(root: Path) -> None:
    with open_house(root, opener_of(root), clock=Clock(OVER)) as house, pytest.raises(PolicyError):
        house.require_open("operator.one", "release", PROJECT)
