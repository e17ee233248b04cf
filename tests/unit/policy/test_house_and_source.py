"""House rules and source schemas: what they hold, and that they refuse what weakens them."""

import hashlib

import pytest

from enclave.errors import PolicyError
from enclave.policy.house import load_house
from enclave.policy.source import SourceSchema
from tests.lib.policy_files import house, put, sources, text_of


def test_the_floors_of_the_house() -> None:
    floors = house().floors
    assert (floors.minimum_frequency, floors.output_checkers, floors.marks) == (5, 2, 1)
    assert floors.attackers == ("outsider",)


def test_the_house_knows_the_hash_of_its_text() -> None:
    assert house().sha256 == hashlib.sha256(text_of("house.yaml").encode()).hexdigest()


@pytest.mark.parametrize("field", ["minimum_frequency", "output_checkers"])
def test_a_higher_floor_is_welcome_and_a_lower_one_is_refused(field: str) -> None:
    text = text_of("house.yaml")
    assert getattr(load_house("house.yaml", put(text, f"floors.{field}", "9")).floors, field) == 9
    with pytest.raises(PolicyError) as refusal:
        load_house("house.yaml", put(text, f"floors.{field}", "1"))
    assert refusal.value.code == "BELOW_HOUSE_FLOOR"
    assert f"floors.{field}: " in refusal.value.message


@pytest.mark.parametrize("attackers", ["[outsider, outsider]", "[]"])
def test_attackers_stand_once_and_at_least_one_does(attackers: str) -> None:
    with pytest.raises(PolicyError):
        load_house("house.yaml", put(text_of("house.yaml"), "floors.attackers", attackers))


def test_the_four_sources_of_the_advice() -> None:
    assert set(sources()) == {"support", "register", "positions", "clusters"}
    assert sources()["clusters"].period == "once"
    assert sources()["clusters"].identifier is None
    for name in ("support", "register", "positions"):
        assert sources()[name].period == "quarter"
        assert sources()[name].identifier == "insz"


def test_columns_say_what_may_stand_in_them() -> None:
    municipality = sources()["register"].column("municipality")
    assert municipality is not None
    assert (municipality.codelist, municipality.leaves_only, municipality.required) == ("municipalities", True, False)
    regime = sources()["support"].column("regime")
    assert regime is not None
    assert regime.codes == ("RMI", "RMH")
    assert sources()["support"].column("name") is None


@pytest.mark.parametrize(
    ("path", "raw", "where"),
    [
        ("columns.2.codes", "[living_wage, living_wage]", "columns.2.codes"),
        ("columns.2", "{name: form, kind: int, leaves_only: true, required: true}", "columns.2.leaves_only"),
        ("columns.3.kind", "int", "columns.3.kind"),
        ("columns.3.kind", "insz", "columns.3.kind"),
        ("columns.2.kind", "date", "columns.2.kind"),
        ("formats", "[csv, csv]", "formats"),
        ("unique", "[insz, insz]", "unique"),
        ("period", "once", "period"),
        ("identifier", "regime", "identifier"),
    ],
)
def test_columns_that_do_not_fit_are_refused(path: str, raw: str, where: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        SourceSchema.from_yaml("support.yaml", put(text_of("sources/support.yaml"), path, raw))
    assert refusal.value.code == "POLICY_INCONSISTENT"
    assert f", {where}: " in refusal.value.message
