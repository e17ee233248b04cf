"""Policies for people: beside the paragraphs in three languages, and what changes between two of them."""

import re
from dataclasses import replace as replace_code
from pathlib import Path
from typing import get_args

import pytest

from enclave.errors import EnclaveBug
from enclave.policy.base import Model
from enclave.policy.codelist import Codelist
from enclave.policy.deliberation.data_sets import Level
from enclave.policy.deliberation.model import Deliberation, load_deliberation
from enclave.policy.deliberation.sources import Identifier
from enclave.policy.deliberation.variables import Gap, Unit
from enclave.policy.load import AnyPolicy, load_any
from enclave.policy.reading.diff import diff
from enclave.policy.reading.show import show
from enclave.policy.reading.words import LANGUAGES, WORDS, Language, word
from tests.lib.policy_files import (
    ADVICE,
    DELIBERATION,
    advice,
    codelists,
    deliberation,
    house,
    load_advice,
    load_deliberation_text,
    put,
    replace,
    text_of,
)


def page(policy: AnyPolicy, language: Language) -> str:
    return "\n".join(show(policy, house(), language))


def flat(text: str) -> str:
    """Return a page without its margin and line breaks."""
    return re.sub(r"\s+", " ", " ".join(line[16:] for line in text.splitlines()))


def changes(old: AnyPolicy, new: AnyPolicy) -> list[str]:
    return [str(change) for change in diff(old, new)]


def edited(*edits: tuple[str, str]) -> Deliberation:
    text = text_of(DELIBERATION)
    for path, raw in edits:
        text = put(text, path, raw)
    return load_deliberation_text(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variable_stands_with_its_label_beside_its_paragraph(language: Language) -> None:
    text, policy = page(deliberation(), language), deliberation()
    told = flat(text)
    for data_set in policy.data_sets:
        for variable in data_set.variables:
            assert f"{getattr(variable.label, language)} [{variable.id}]" in told
    assert re.search(r"^5, 15 +\S.*\[employer\]", text, re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_advice_is_printed_with_its_tables_and_open_points(language: Language) -> None:
    told = flat(page(advice(), language))
    for table in advice().tables:
        assert getattr(table.title, language) in told
    for name in type(advice().open_points).model_fields:
        assert f"{name}: " in told


def test_both_dates_both_numbers_and_the_ban_are_read() -> None:
    text = page(deliberation(), "nl")
    assert text.startswith("Beraadslaging 15/018 van 2015-04-07 (SCSZG/15/039)\n")
    for wanted in ("tot en met 2017-12-31", "tot en met 2017-03-31", "gevraagd: ", "toegestaan: "):
        assert wanted in flat(text)
    assert deliberation().conduct.ban.text.nl in flat(text)


def test_an_extension_and_a_missing_ladder_are_read_too() -> None:
    extension = '[{until: 2018-03-31, decision: "17/020", decided: 2017-01-10}]'
    assert "decision 17/020 of 2017-01-10; until 2018-03-31" in flat(
        page(edited(("retention.extensions", extension)), "en")
    )


def test_every_fixed_word_has_three_languages() -> None:
    for key, words in WORDS.items():
        assert len(words) == 3, key
        assert all(text == text.strip() and text for text in words), key
    values = [*get_args(Unit), *get_args(Gap), *get_args(Level), *get_args(Identifier)]
    assert [value for value in values if value not in WORDS] == []
    assert word("no such word", "nl") == "no such word"


def test_nothing_is_left_of_the_keys_of_words_on_a_page() -> None:
    told = page(deliberation(), "fr")
    for key in ("not_applicable", "handed_over", "by_design", "looked_up", "minimum_frequency", "quarter end"):
        assert key not in told


def test_a_policy_does_not_differ_from_itself_or_from_its_remarks() -> None:
    assert changes(deliberation(), deliberation()) == []
    assert changes(advice(), load_advice(text_of(ADVICE) + "# a remark\n")) == []


@pytest.mark.parametrize(
    ("path", "raw", "sentence"),
    [
        ("rules.minimum_frequency.paragraph", '"18"', "CHANGED: rules.minimum_frequency.paragraph is '18' and was '6'"),
        ("retention.until", "2016-12-31", "NARROWER: retention.until is '2016-12-31' and was '2017-03-31'"),
        ("output_checkers.value", "3", "NARROWER: output_checkers.value is '3' and was '2'"),
        ("retention.warning_days", "[180, 90, 30, 7]", "NARROWER: retention.warning_days: 180 added"),
        (
            "data_sets.workers.variables.nationality.scheme",
            "as_delivered",
            "WIDER: data_sets.workers.variables.nationality.scheme is 'as_delivered' and was 'nationality_6'",
        ),
        (
            "data_sets.trajectories.variables.centre_city.scheme",
            "districts",
            "NARROWER: data_sets.trajectories.variables.centre_city.scheme is 'districts' and was 'centre_cities'",
        ),
        (
            "counts.workers_by_municipality.contributors.largest_share",
            "90",
            "WIDER: counts.workers_by_municipality.contributors.largest_share is '90' and was '85'",
        ),
        ("prerequisites.dpia.valid_days", "null", "WIDER: prerequisites.dpia.valid_days is 'None' and was '1095'"),
        ("prerequisites.dpia.text", "an assessment", "CHANGED: prerequisites.dpia.text is 'an assessment' and was"),
        (
            "open_points.death.reason",
            "another one",
            "CHANGED: open_points.death.reason is 'another one' and was 'par. 7 asks",
        ),
    ],
)
def test_a_change_is_one_sentence_with_its_direction(path: str, raw: str, sentence: str) -> None:
    (said,) = changes(deliberation(), edited((path, raw)))
    assert said.startswith(sentence)


def test_a_variable_that_comes_or_goes_is_told_with_its_paragraph() -> None:
    text = text_of(DELIBERATION)
    start = text.index("      - {id: incapacity_days,")
    less = load_deliberation_text(text[:start] + text[text.index("\n", start) + 1 :])
    place = "data_sets.workers.variables.incapacity_days"
    assert changes(deliberation(), less) == [f"NARROWER: {place} is removed (par. 6)"]
    assert changes(less, deliberation()) == [f"WIDER: {place} is added (par. 6)"]


def test_an_extension_is_wider_and_another_prerequisite_narrower() -> None:
    extension = '[{until: 2018-03-31, decision: "17/020", decided: 2017-01-10}]'
    assert changes(deliberation(), edited(("retention.extensions", extension))) == [
        "WIDER: retention.extensions.17/020 is added"
    ]
    more = replace(
        text_of(DELIBERATION),
        "\nconduct:",
        "\n  - {id: dpo, kind: contract, text: word of the data protection officer, applies_from: 2018-05-25,"
        " applies_until: null, valid_days: null, paragraph: house}\nconduct:",
    )
    assert changes(deliberation(), load_deliberation_text(more)) == [
        "NARROWER: prerequisites.dpo is added (par. house)"
    ]


def test_lists_say_what_came_and_what_went() -> None:
    later = load_advice(put(text_of(ADVICE), "stages.outside.operations", "[sum, change]"))
    assert changes(advice(), later) == ["NARROWER: stages.outside.operations: share removed"]
    assert changes(later, advice()) == ["WIDER: stages.outside.operations: share added"]
    order = load_advice(put(text_of(ADVICE), "stages.outside.operations", "[share, sum, change]"))
    assert changes(advice(), order) == ["CHANGED: stages.outside.operations: another order"]
    zero = load_advice(put(text_of(ADVICE), "rules.structural_zeros", '[{region: XX, position: "111"}]'))
    assert changes(advice(), zero)[0].startswith("NARROWER: rules.structural_zeros: ")


def test_more_classes_are_wider_and_other_bounds_are_for_people_to_judge() -> None:
    path = "classes.benefit_amount.bounds"
    (moved,) = changes(deliberation(), edited((path, "[0, 250, 500, 750, 1000, 1250, 1400]")))
    assert moved.startswith("CHANGED: classes.benefit_amount.bounds is '0, 250")
    rows = codelists()["benefit_amount"].rows
    lists = {**codelists(), "benefit_amount": Codelist("benefit_amount", (*rows, replace_code(rows[-1], code="B7")))}
    text = put(text_of(DELIBERATION), path, "[0, 250, 500, 750, 1000, 1250, 1500, 1750]")
    finer = load_deliberation(DELIBERATION, text, house(), lists)
    assert changes(deliberation(), finer)[0].startswith("WIDER: classes.benefit_amount.bounds is ")


def test_any_kind_is_loaded_by_what_its_schema_says() -> None:
    for file, wanted in ((ADVICE, "advice"), (DELIBERATION, "deliberation")):
        assert load_any(file, text_of(file), house(), codelists()).kind == wanted


def test_a_small_deliberation_without_places_counts_and_amounts_is_read_too() -> None:
    path = Path(__file__).with_name("small_deliberation.yaml")
    told = page(load_any(path.name, path.read_text(encoding="utf-8"), house(), codelists()), "en")
    assert "Ladder of places" not in told
    assert "Anonymous counts" not in told


def test_a_prerequisite_of_an_advice_is_read() -> None:
    contract = "[{id: contract, kind: contract, text: a contract with the recipient, paragraph: house}]"
    assert "contract: a contract with the recipient" in page(
        load_advice(put(text_of(ADVICE), "prerequisites", contract)), "en"
    )


def test_a_ladder_that_goes_is_wider_and_one_sentence() -> None:
    text = Path(__file__).with_name("small_deliberation.yaml").read_text(encoding="utf-8")
    without = load_deliberation("small_deliberation.yaml", text, house(), codelists())
    lines = changes(deliberation(), without)
    assert [line for line in lines if line.startswith("WIDER: geography")] == [
        "WIDER: geography is removed (par. 6, 10)"
    ]
    assert "NARROWER: geography is added (par. 6, 10)" in changes(without, deliberation())


def test_a_value_that_nobody_compares_is_a_bug() -> None:
    class Odd(Model):
        value: bytes

    with pytest.raises(EnclaveBug):
        changes(Odd(value=b""), Odd(value=b""))  # type: ignore[arg-type]
