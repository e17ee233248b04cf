"""The whole path: made-up deliveries in, two signed releases out, read as a recipient would.

In the ordinary run the policy is the advice with its first and third table only, and stage 1 is that of the house which
all functional tests share; `full` takes all six tables through the demonstration itself.
"""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
import pytest

from enclave.errors import IntegrityError
from enclave.gateway.request import Stage
from enclave.synthetic.presets import Preset
from enclave.wiring.demo import MEDIUM, POLICY, look_at_everything, opener_of, release_results, run_demo
from enclave.wiring.house import open_house
from enclave.wiring.production import Say
from tests.lib.recount import TABLES, compare, recount

ROOT = Path(__file__).parents[2]
VERIFIER = ROOT / "enclave" / "ledger" / "verify_release.py"
CODE_LISTS = ROOT / "policies" / "classifications"

pytestmark = pytest.mark.timeout(3600)


@dataclass(frozen=True)
class Done:
    """What the demonstration left behind."""

    root: Path
    said: str
    tables: tuple[str, ...]

    @property
    def key(self) -> Path:
        return self.root / "house" / "release.pub.pem"

    def release(self, stage: str) -> Path:
        (folder,) = (self.root / "house" / "releases" / stage).iterdir()
        return folder


def enclave(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "enclave", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


def two_tables(folder: Path) -> Path:
    """Return a policies' folder with the first and the third table of the advice only."""
    shutil.copytree(ROOT / "policies", folder)
    advice = folder / "advice-17-17.yaml"
    lines = advice.read_text(encoding="utf-8").splitlines(keepends=True)
    left_out = tuple(f"  - {{id: {table}," for table in ("t2", "t4", "t5", "t6"))
    kept = [line for line in lines if not line.startswith(left_out)]
    assert len(lines) - len(kept) == 4
    advice.write_text("".join(kept), encoding="utf-8")
    return folder


def from_stage_one(root: Path, shared: Path, say: Say) -> None:
    """Take a copy of the shared house, whose stage 1 is out, to stage 2, and look at everything."""
    for name, place in (("house", "house"), ("medium", "medium"), ("deliveries", "deliveries/2016")):
        shutil.copytree(shared / name, root / place)
    with open_house(root / "house", opener_of(root)) as house:
        policy = house.reference.policy(POLICY)
        outside = release_results(house, policy, 2016, say=say)
        (inside,) = house.settings.outboxes[Stage.INSIDE].iterdir()
    look_at_everything(root, [inside, outside], say=say)


@pytest.fixture(scope="module", params=["two tables", pytest.param("six tables", marks=pytest.mark.full)])
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    root = tmp_path_factory.mktemp("demo")
    said: list[str] = []
    if request.param == "two tables":
        from_stage_one(root, request.getfixturevalue("house_with_stage_one"), said.append)
    else:
        run_demo(root, Preset.TINY, (2016,), say=said.append)
    yield Done(root, "\n".join(said), ("t1", "t3") if request.param == "two tables" else tuple(TABLES))
    shutil.rmtree(root, ignore_errors=True)


def test_every_figure_shown_is_that_of_an_independent_recount_from_the_delivered_files(
    done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.lib.recount.TABLES", {table: TABLES[table] for table in done.tables})
    counts = recount(done.root / "deliveries" / "2016", CODE_LISTS, 2016)
    found = compare(counts, done.release("inside"))
    assert not found.differences
    assert found.shown > 5_000
    assert found.hidden > 0


def test_the_attack_on_everything_published_finds_nothing(done: Done) -> None:
    folders = [str(done.release(stage)) for stage in ("inside", "outside")]
    assert "of no hidden cell can it be shown" in done.said
    assert "derived tables worked out again from published figures alone: 4, all the same" in done.said
    changed = enclave("attack", "--key", str(done.key), folders[1])
    assert changed.returncode == 20, "results cannot be judged without the release that they come from"


@pytest.mark.parametrize("stage", ["inside", "outside"])
def test_a_recipient_verifies_the_release_with_the_file_handed_to_them(done: Done, stage: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), "--key", str(done.key), str(done.release(stage))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_releases_say_what_the_format_asks(done: Done) -> None:
    manifest = json.loads((done.release("outside") / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["stamp"] == "SYNTHETIC"
    assert manifest["stage"] == "outside"
    assert manifest["policy"]["numbers"] == {"dossier": "SCSZG/17/059", "decision": "17/17"}
    assert len(manifest["approvals"]) == 2
    assert len({approval["key_id"] for approval in manifest["approvals"]}) == 2
    assert {rule["parameters"]["kind"] for rule in manifest["rules"] if rule["name"] == "derived"} == {
        "sum",
        "share",
        "change",
    }
    assert "checker" not in json.dumps([a["key_id"] for a in manifest["approvals"]])


def test_the_spreadsheet_prints_the_mark_where_a_figure_is_hidden(done: Done) -> None:
    book = openpyxl.load_workbook(done.release("inside") / "tables.xlsx", read_only=True)
    sheet = book["t1"]
    printed = {cell for row in sheet.iter_rows(values_only=True) for cell in row}
    assert "C" in printed
    with (done.release("inside") / "tables" / "t1.csv").open(encoding="utf-8", newline="") as file:
        hidden = [row for row in csv.DictReader(file) if row["CONF_STATUS"] == "C"]
    assert hidden
    assert all(row["OBS_VALUE"] == "" for row in hidden)


def test_the_log_verifies_against_its_anchor_and_everything_agrees(done: Done) -> None:
    house = done.root / "house"
    anchor = house / "anchor" / "log-head.json"
    assert enclave("log", "verify", "--root", str(house), "--anchor", str(anchor)).returncode == 0
    key_file = str(done.root / MEDIUM)
    assert enclave("fsck", "--root", str(house), "--key-file", key_file).returncode == 0


def _one_figure_more(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """Return the files with the first figure shown in one of them made larger by one."""
    head, figure, rest = re.split(r"(?<=,)(\d+)(?=,F,A\n)", files[name].decode(), maxsplit=1)
    return {**files, name: f"{head}{int(figure) + 1}{rest}".encode()}


def test_a_result_that_its_expressions_do_not_give_is_not_released(done: Done) -> None:
    with open_house(done.root / "house", opener_of(done.root)) as house, house.book.view() as view:
        (request,) = (found for found in view.requests() if found.stage is Stage.OUTSIDE)
        history = view.history()
        package = house.packages.read(request.binding.tables)
        forged = replace(package, files=_one_figure_more(package.files, "tables/at_work.csv"))
        assert house.look.is_safe(request, package, history)
        with pytest.raises(IntegrityError, match="RESULT_DIFFERS"):
            house.look.is_safe(request, forged, history)


def test_a_changed_figure_is_found(done: Done, tmp_path: Path) -> None:
    copy = tmp_path / done.release("inside").name
    shutil.copytree(done.release("inside"), copy)
    table = copy / "tables" / "t1.csv"
    table.chmod(0o644)
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace(",F,", ",C,", 1), encoding="utf-8")
    ended = enclave("verify", "--key", str(done.key), str(copy))
    assert ended.returncode == 20
    assert "RELEASE_INVALID" in ended.stderr


def test_no_count_of_the_data_stands_in_the_audit_log(done: Done) -> None:
    dump = done.root / "log.jsonl"
    house = str(done.root / "house")
    assert enclave("log", "dump", "--root", house, "--as", "auditor.one", str(dump)).returncode == 0
    for line in dump.read_text(encoding="utf-8").splitlines():
        details = json.loads(line)["entry"]["details"]
        assert not any(isinstance(value, int) and key != "turn" for key, value in details.items())
