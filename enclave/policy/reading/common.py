"""What is read alike in an advice and in a deliberation."""

from collections.abc import Iterable, Iterator

from enclave.policy.deliberation.terms import Condition
from enclave.policy.frame import Frame
from enclave.policy.house import HousePolicy
from enclave.policy.legal import Actor, Basis, Prerequisite
from enclave.policy.open_points import Decision
from enclave.policy.reading.page import Line, Section, Voice, joined


def title(policy: Frame, kind: str, voice: Voice) -> str:
    """Return the title of the page."""
    return (
        f"{voice.word(kind)} {policy.numbers.decision} {voice.word('of_date')} {policy.date} ({policy.numbers.dossier})"
    )


def basis(policy: Frame, voice: Voice) -> Section:
    """Return what the document rests on."""
    return voice.section("basis", provisions(policy.legal_basis))


def provisions(entries: Iterable[Basis]) -> Iterator[Line]:
    """Yield texts with their paragraphs."""
    for entry in entries:
        yield Line(entry.paragraph, entry.text)


def purpose(policy: Frame, voice: Voice) -> Section:
    """Return what the data are for."""
    return voice.section("purpose", [Line(policy.purpose.paragraph, voice.label(policy.purpose.text))])


def actor(role: str, one: Actor, voice: Voice, *remarks: str) -> Line:
    """Return who somebody is, and in which part."""
    return Line(one.paragraph, joined(f"{voice.word(role)}: {voice.label(one.name)}", *remarks))


def prerequisites(entries: Iterable[Prerequisite], voice: Voice) -> Section:
    """Return what must be on file."""
    return voice.section("prerequisites", (_prerequisite(entry, voice) for entry in entries))


def _prerequisite(entry: Prerequisite, voice: Voice) -> Line:
    remarks = []
    if isinstance(entry, Condition):
        remarks.append(f"{voice.word('from_day')} {entry.applies_from}")
        remarks.append(f"{voice.word('until')} {entry.applies_until}" if entry.applies_until else "")
        remarks.append(voice.pair("valid_days", entry.valid_days) if entry.valid_days else "")
    return Line(entry.paragraph, joined(f"{voice.word(entry.kind)}: {entry.text}", *remarks))


def decision(name: str, point: Decision, choice: str | int, voice: Voice) -> Line:
    """Return how an open point was answered."""
    text = joined(
        f"{name}: {point.question}",
        f"{voice.word('chosen')}: {choice}",
        f"{voice.word('because')} {point.reason}",
        f"{voice.word('decided_by')}: {point.decided_by}, {voice.word('on')} {point.decided_on}",
    )
    return Line(point.paragraph, text)


def rules(policy: Frame, house: HousePolicy, voice: Voice) -> Section:
    """Return the safety rules, and what a hidden figure says."""
    held = policy.rules
    weights = "unit_weight" if held.weights.value == "unit" else held.weights.value
    lines = [
        voice.ruling("minimum_frequency", held.minimum_frequency),
        voice.ruling("zeros", held.zeros),
        voice.ruling("mark", held.mark),
        voice.ruling("need", held.need),
        Line(held.weights.paragraph, voice.pair("weights", weights)),
        voice.ruling("output_checkers", policy.output_checkers),
        *(
            Line("", f"{mark} {voice.word('means')}: {voice.label(label)}")
            for mark, label in policy.legend(house).items()
        ),
    ]
    return voice.section("rules", lines)
