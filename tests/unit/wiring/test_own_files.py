"""Bringing files to a project: by stewards alone, all or none, logged, read by all and written by nobody."""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from enclave.errors import DeliveryError, PermissionDenied, RequestError
from enclave.wiring.house import House, made_up_people, open_house
from enclave.wiring.own_files import OwnFiles
from tests.lib.house_kit import made_house

PROJECT = "advice-17-17-2016"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "house", made_house(tmp_path / "house")) as found:
        found.register.enrol(made_up_people(PROJECT, date(2099, 1, 1)), "steward.one")
        yield found


def written(folder: Path, name: str, text: str = "x = 1\n") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_steward_brings_is_there_for_all_to_read_and_in_the_log(house: House, tmp_path: Path) -> None:
    own = OwnFiles(house, PROJECT)
    assert own.bring("steward.one", [written(tmp_path, "b.py"), written(tmp_path, "a.csv", "a,b\n")]) == [
        "a.csv",
        "b.py",
    ]
    folder = house.settings.own_files / PROJECT
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {"a.csv": 0o444, "b.py": 0o444}
    assert folder.stat().st_mode & 0o777 == 0o755
    own.bring("steward.one", [written(tmp_path, "b.py", "x = 2\n")])
    own.remove("steward.one", ["a.csv"])
    assert [path.name for path in own.listed()] == ["b.py"]
    assert (folder / "b.py").read_text() == "x = 2\n"
    with house.book.connection(reading=True) as connection:
        lines = [line.decode() for line, _ in house.book.audit.lines(connection)]
    logged = [line for line in lines if "file_brought_in" in line or "file_taken_away" in line]
    digests = [sha256(text.encode()).hexdigest() for text in ("x = 1\n", "a,b\n", "x = 2\n", "a,b\n")]
    assert all(digest in line and PROJECT in line for digest, line in zip(digests, logged, strict=True))


@pytest.mark.parametrize("account", ["analyst.one", "staff.one", "operator.one", "checker.one", "nobody"])
def test_nobody_else_brings_or_removes_anything(house: House, tmp_path: Path, account: str) -> None:
    own = OwnFiles(house, PROJECT)
    own.bring("steward.one", [written(tmp_path, "a.py")])
    with pytest.raises(PermissionDenied):
        own.bring(account, [written(tmp_path, "b.py")])
    with pytest.raises(PermissionDenied):
        own.remove(account, ["a.py"])
    assert [path.name for path in own.listed()] == ["a.py"]


def test_one_bad_file_stops_all(house: House, tmp_path: Path) -> None:
    own = OwnFiles(house, PROJECT)
    with pytest.raises(DeliveryError, match="OWN_FILE_PERSON"):
        own.bring("steward.one", [written(tmp_path, "a.py"), written(tmp_path, "b.txt", "85073003328")])
    assert own.listed() == []


def test_two_files_of_one_name_a_missing_one_and_an_unknown_project_are_refused(house: House, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    twice = [written(tmp_path, "a.py"), written(tmp_path / "other", "a.py")]
    own = OwnFiles(house, PROJECT)
    with pytest.raises(DeliveryError, match="OWN_FILE_TWICE"):
        own.bring("steward.one", twice)
    with pytest.raises(DeliveryError, match="OWN_FILE_READ"):
        own.bring("steward.one", [tmp_path / "gone.py"])
    with pytest.raises(RequestError, match="OWN_FILE_UNKNOWN"):
        own.remove("steward.one", ["a.py"])
    for project in ("another", "../../elsewhere"):
        with pytest.raises(RequestError, match="UNKNOWN_PROJECT"):
            OwnFiles(house, project).bring("steward.one", twice[:1])
