"""What the front tells the audit log of connections from outside: the first at once, the others together."""

import json
import subprocess
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.wiring.house import make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file
from enclave.wiring.notices import NoticeDesk
from enclave.wiring.workbench import checks
from tests.lib.house_kit import log_lines


def told(folder: Path, addresses: list[str]) -> list[dict[str, object]]:
    """Let node refuse these addresses, and end; return the notices, oldest first."""
    try:
        node = checks.node()
    except SetupError as missing:
        pytest.skip(str(missing))
    folder.mkdir(parents=True)
    script = (
        f"const {{ Refusals }} = await import({json.dumps(str(checks.FRONT.with_name('notices.mjs')))});\n"
        f"const refusals = new Refusals({json.dumps(str(folder))}, console);\n"
        f"for (const address of {json.dumps(addresses)}) refusals.add(address);\n"
        "await new Promise((done) => setTimeout(done, 5));\n"
        "refusals.end();\n"
    )
    subprocess.run([str(node), "--input-type=module", "-e", script], check=True)
    found = [json.loads(path.read_text()) for path in sorted(folder.iterdir())]
    return [notice["details"] for notice in found]


def test_the_first_is_told_at_once_and_the_others_together_each_address_once(tmp_path: Path) -> None:
    assert told(tmp_path / "front", ["10.0.0.1", "10.0.0.2", "10.0.0.2", "fd00::1"]) == [
        {"code": "OUTSIDE_THE_BUILDING", "addresses": ["10.0.0.1"]},
        {"code": "OUTSIDE_THE_BUILDING", "addresses": ["10.0.0.2", "fd00::1"]},
    ]


def test_of_a_flood_twenty_addresses_are_told_and_that_there_were_more(tmp_path: Path) -> None:
    _, rest = told(tmp_path / "front", [f"10.0.0.{number}" for number in range(100)])
    assert rest == {"code": "MANY_OUTSIDE", "addresses": [f"10.0.0.{number}" for number in range(1, 21)]}


def test_they_are_of_the_form_that_the_gateway_takes_in(tmp_path: Path) -> None:
    told(tmp_path / "notices" / "front", ["10.0.0.1", "fd00::1"])
    make_house(tmp_path / "house", synthetic=True, protect=by_new_key_file(tmp_path / "medium"))
    with open_house(tmp_path / "house") as house:
        NoticeDesk(house, tmp_path / "notices").look()
    entries = [entry for line in log_lines(tmp_path / "house") if (entry := json.loads(line))["actor"] == "front"]
    assert [entry["details"]["addresses"] for entry in entries] == [["10.0.0.1"], ["fd00::1"]]
