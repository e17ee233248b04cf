"""A policy for people who read law: every statement beside the paragraph that it rests on."""

from collections.abc import Iterator

from enclave.policy.deliberation.model import Deliberation
from enclave.policy.house import HousePolicy
from enclave.policy.load import AnyPolicy
from enclave.policy.reading import advice, common, deliberation
from enclave.policy.reading.page import Voice, lay_out
from enclave.policy.reading.words import Language


def show(policy: AnyPolicy, house: HousePolicy, language: Language) -> Iterator[str]:
    """Yield the lines of the page; headings, labels and fixed words are in the language, free text as written."""
    voice = Voice(language)
    title = common.title(policy, policy.kind, voice)
    if isinstance(policy, Deliberation):
        return lay_out(title, deliberation.sections(policy, house, voice))
    return lay_out(title, advice.sections(policy, house, voice))
