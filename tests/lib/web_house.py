"""A real tiny house for the pages: one year of two tables over four quarters, stage 1 released, stage 2 handed in."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from enclave.gateway.permissions import Person, Role
from enclave.gateway.review import Decision
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import Preset
from enclave.wiring.house import House, made_up_people, make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file
from enclave.wiring.production import derive_results, prepare_year, produce, take_in_all
from enclave.wiring.settings import POLICIES
from tests.lib import policy_files
from tests.lib.house_kit import key_path, opener_of

PROJECT, YEAR, POLICY = "advice-17-17-2016", 2016, "advice-17-17"
INSIDE, OUTSIDE = f"{PROJECT}-r1111aaaa", f"{PROJECT}-r2222bbbb"
TRAINED = date(2099, 12, 31)
ON_PROJECT = frozenset({PROJECT})
NASTY = "<script>alert(1)</script> =1+1 \u202egnp.exe\u2066 \"'&"
"""A purpose with everything in it that may not come through."""

PLACES = {
    "population.window_quarters": "4",
    "tables": (
        "[{id: t1, title: {nl: Per groep, fr: Par groupe, en: By group}, dimensions: [group, position], paragraph: a}, "
        "{id: t3, title: {nl: Drie, fr: Trois, en: Three}, dimensions: [sex, region, position], paragraph: b}]"
    ),
}


def people() -> tuple[Person, ...]:
    """Return the made-up people, an author who is a checker too, and a checker who is on the project."""
    usual = {person.id: person for person in made_up_people(PROJECT, TRAINED)}
    staff = usual["staff.one"]
    author = replace(staff, roles=staff.roles | {Role.OUTPUT_CHECKER}, trained_until=TRAINED)
    checker = frozenset({Role.OUTPUT_CHECKER})
    member = Person("checker.member", frozenset({"checker.member"}), checker, ON_PROJECT, trained_until=TRAINED)
    double = Person("checker.three", frozenset({"checker.three", "checker.four"}), checker, trained_until=TRAINED)
    stranger = Person("analyst.else", frozenset({"analyst.else"}), frozenset({Role.ANALYST}))
    return (*(usual | {"staff.one": author}).values(), member, double, stranger)


@contextmanager
def web_house(folder: Path) -> Iterator[House]:
    """Open a copy of the tiny house in an empty folder."""
    shutil.copytree(_template(), folder, dirs_exist_ok=True)
    root = folder / "house"
    with open_house(root, opener_of(root)) as house:
        yield house


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="web-house-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    policies, root = _small_policies(folder / "policies"), folder / "house"
    make_house(root, synthetic=True, protect=by_new_key_file(key_path(root)), policies=policies)
    with open_house(root, opener_of(root)) as house:
        _fill(house, folder / "deliveries")
    return folder


def _fill(house: House, deliveries: Path) -> None:
    house.register.enrol(people(), "steward.one")
    world = house.reference.made_up_world()
    write_deliveries(Preset.TINY, deliveries, year=YEAR, seed=17, references=world, progress=_quiet)
    take_in_all(house, deliveries, "steward.one", say=_quiet)
    policy = house.reference.policy(POLICY)
    prepare_year(house, policy, YEAR, "staff.one", say=_quiet)
    produce(house, policy, YEAR, "staff.one", purpose="tables of the year", say=_quiet, request_id=INSIDE)
    approve(house, INSIDE)
    house.gateway.release(INSIDE, "operator.one")
    derivations = house.reference.derivations(house.settings.policies / "results" / f"{POLICY}.yaml")
    derive_results(house, policy, YEAR, "analyst.one", derivations, purpose=NASTY, say=_quiet, request_id=OUTSIDE)


def approve(house: House, request_id: str) -> None:
    """Let two checkers approve."""
    for checker in ("checker.one", "checker.two"):
        house.gateway.vote(request_id, checker, Decision.APPROVE, "looks right")


def _small_policies(folder: Path) -> Path:
    shutil.copytree(POLICIES, folder)
    text = (folder / f"{POLICY}.yaml").read_text(encoding="utf-8")
    for place, raw in PLACES.items():
        text = policy_files.put(text, place, raw)
    (folder / f"{POLICY}.yaml").write_text(text, encoding="utf-8")
    return folder


def _quiet(_: str) -> None:
    """Progress is for people."""
