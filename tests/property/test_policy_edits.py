"""Whatever is done to the text of a policy, it is either accepted whole or refused with a PolicyError."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.errors import PolicyError
from enclave.policy.codelist import Codelist
from enclave.policy.deliberation.model import Deliberation
from enclave.policy.expression.nodes import names
from enclave.policy.expression.parse import parse
from enclave.policy.house import load_house
from enclave.policy.load import load_any
from enclave.policy.strict_yaml import read
from tests.lib.policy_files import ADVICE, DELIBERATION, codelists, house, load_advice, sources, text_of

PIECES = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="[]{}:,-&*!?|>%@`'\"#~=<\\ \n0123456789xoUuN.eE+_", max_size=12),
    st.sampled_from(["null", "true", "[]", "{}", "5", "4", "-1", "2017-04-04", "&a ", "*a", "<<: ", "---\n", "!!int "]),
)


@st.composite
def edited(draw: st.DrawFn, text: str) -> str:
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(PIECES) + text[end:]
    return text


@settings(max_examples=60, derandomize=True, deadline=None)
@given(edited(text_of(ADVICE)))
def test_an_edited_advice_is_accepted_or_refused_with_its_line(text: str) -> None:
    try:
        policy = load_advice(text)
    except PolicyError as refusal:
        assert re.match(rf"{ADVICE}, line \d+", refusal.message)  # noqa: PT017  both outcomes are right
    else:
        assert policy.rules.minimum_frequency.value >= house().floors.minimum_frequency
        assert policy.output_checkers.value >= house().floors.output_checkers


@settings(max_examples=20, derandomize=True, deadline=None)
@given(edited(text_of(DELIBERATION)))
def test_an_edited_deliberation_is_accepted_or_refused_with_its_line(text: str) -> None:
    try:
        policy = load_any(DELIBERATION, text, house(), codelists(), sources())
    except PolicyError as refusal:
        assert re.match(rf"{DELIBERATION}, line \d+", refusal.message)  # noqa: PT017  both outcomes are right
    else:
        assert isinstance(policy, Deliberation)
        assert policy.retention.until <= policy.granted.until
        assert policy.rules.minimum_frequency.value >= house().floors.minimum_frequency


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(alphabet="abcd0123456789. +-*/()=<>!,'", max_size=20) | st.text(max_size=12))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except PolicyError as refusal:
        assert refusal.code == "EXPRESSION"  # noqa: PT017  both outcomes are right
    else:
        assert names(expression) <= set(re.findall("[a-z][a-z0-9_]*", text))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(edited(text_of("house.yaml")))
def test_an_edited_house_is_accepted_or_refused_with_its_line(text: str) -> None:
    try:
        floors = load_house("house.yaml", text).floors
    except PolicyError as refusal:
        assert re.match(r"house.yaml, line \d+", refusal.message)  # noqa: PT017  both outcomes are right
    else:
        assert (floors.minimum_frequency, floors.output_checkers) >= (5, 2)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        document = read("p.yaml", text)
    except PolicyError as refusal:
        assert re.match(r"p.yaml, line \d+", refusal.message)  # noqa: PT017  both outcomes are right
    else:
        assert all(1 <= line <= text.count("\n") + 1 for line in document.lines.values())


@settings(max_examples=100, derandomize=True, deadline=None)
@given(edited(text_of("classifications/lipro.csv")))
def test_an_edited_code_list_is_accepted_or_refused(text: str) -> None:
    try:
        codelist = Codelist.from_csv("lipro.csv", text)
    except PolicyError as refusal:
        assert refusal.code.startswith("CODELIST_")  # noqa: PT017  both outcomes are right
    else:
        assert codelist.hierarchy().leaves == codelist.leaves
