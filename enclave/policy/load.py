"""Any policy file, whatever its kind."""

import re
from collections.abc import Mapping

from enclave.policy.codelist import Codelist
from enclave.policy.deliberation.model import Deliberation, load_deliberation
from enclave.policy.house import HousePolicy
from enclave.policy.model import Policy, load_policy
from enclave.policy.source import SourceSchema

AnyPolicy = Policy | Deliberation
_DELIBERATION = re.compile(r"^schema: *deliberation/", re.MULTILINE)
"""A first look only: what is loaded says its schema itself, and is refused where it is another one."""


def load_any(
    name: str,
    text: str,
    house: HousePolicy,
    codelists: Mapping[str, Codelist],
    sources: Mapping[str, SourceSchema] | None = None,
) -> AnyPolicy:
    """Read an advice or a deliberation, as its `schema` says; PolicyError with file and line for what is wrong."""
    if _DELIBERATION.search(text):
        return load_deliberation(name, text, house, codelists, sources)
    return load_policy(name, text, house, codelists, sources)
