"""What is asked of policies: do they load, what do they say, and what changed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from enclave.errors import RequestError
from enclave.policy.reading.diff import diff
from enclave.policy.reading.show import show
from enclave.policy.reading.words import Language
from enclave.wiring.reference import Reference
from enclave.wiring.settings import POLICIES


def check(files: Sequence[Path]) -> Iterator[str]:
    """Load each policy, or all that are shipped, and say what it is."""
    reference = Reference.load(POLICIES)
    shipped = [path for kind in ("advice", "deliberation") for path in sorted(POLICIES.glob(f"{kind}-*.yaml"))]
    for path in files or shipped:
        policy = reference.any_policy_file(path)
        yield f"{path.name}: {policy.kind} {policy.numbers.decision} ({policy.numbers.dossier}), loads"


def show_page(path: Path, language: Language) -> Iterator[str]:
    """Return the lines of a policy's page."""
    reference = Reference.load(POLICIES)
    return show(reference.any_policy_file(path), reference.house, language)


def compare(old: Path, new: Path) -> Iterator[str]:
    """Yield what changes, one sentence each; RequestError where the two are not of one kind."""
    reference = Reference.load(POLICIES)
    before, after = (reference.any_policy_file(path) for path in (old, new))
    if before.kind != after.kind:
        raise RequestError("POLICY_KINDS", "an advice and a deliberation cannot be compared; name two of one kind")
    changes = [str(change) for change in diff(before, after)]
    yield from changes or ["nothing changes but remarks and layout"]
