"""A deliberation as people read it: its legal frame; `deliberation_data.py` adds sources, data sets and protection."""

from collections.abc import Iterator

from enclave.policy.deliberation.model import Deliberation
from enclave.policy.house import HousePolicy
from enclave.policy.reading import common, deliberation_data
from enclave.policy.reading.page import Line, Section, Voice, joined


def sections(policy: Deliberation, house: HousePolicy, voice: Voice) -> Iterator[Section]:
    """Yield the sections of a deliberation, in the order of its file."""
    yield voice.section("versions", _versions(policy, voice))
    yield common.basis(policy, voice)
    yield voice.section("actors", _actors(policy, voice))
    yield common.purpose(policy, voice)
    yield voice.section("asked_granted", _reach(policy, voice))
    yield voice.section("retention", _retention(policy, voice))
    yield common.prerequisites(policy.prerequisites, voice)
    yield voice.section("conduct", _conduct(policy, voice))
    yield voice.section("findings", common.provisions(policy.findings))
    yield voice.section("deviations", _deviations(policy, voice))
    points = policy.open_points.items()
    yield voice.section("open_points", (common.decision(name, point, point.choice, voice) for name, point in points))
    yield from deliberation_data.sections(policy, voice)
    yield common.rules(policy, house, voice)


def _versions(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for version in policy.versions:
        text = joined(
            voice.pair("version", version.version),
            f"{voice.word('in_force_from')} {version.effective}",
            f"{voice.word('decision')} {version.decision} {voice.word('of_date')} {version.decided}",
            version.change,
        )
        yield Line("", text)
    if policy.earlier is not None:
        earlier = policy.earlier
        number = f"{voice.word('decision')} {earlier.decision} {voice.word('of_date')} {earlier.date}"
        yield Line(earlier.paragraph, joined(number, earlier.text))


def _actors(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for role in ("requester", "commissioner", "linker", "authoriser", "receipt_issuer"):
        yield common.actor(role, getattr(policy.actors, role), voice)
    for supplier in policy.actors.suppliers:
        remarks = (
            "" if supplier.named else voice.word("not_named"),
            voice.word("within_requester") if supplier.within else "",
        )
        yield common.actor("supplier", supplier, voice, *remarks)


def _reach(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for name, reach in (("asked", policy.asked), ("granted", policy.granted)):
        until = f"{voice.word('until')} {reach.until}"
        yield Line(reach.paragraph, joined(f"{voice.word(name)}: {reach.text}", until))


def _retention(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    limit = policy.retention
    days = ", ".join(str(day) for day in limit.warning_days)
    text = joined(f"{voice.word('until')} {limit.until}", f"{voice.word('warned')}: {days}")
    yield Line(limit.paragraph, text)
    for extension in limit.extensions:
        decided = f"{voice.word('decision')} {extension.decision} {voice.word('of_date')} {extension.decided}"
        yield Line(limit.paragraph, joined(decided, f"{voice.word('until')} {extension.until}"))


def _conduct(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for name in ("ban", "undertaking", "publication", "laws"):
        clause = getattr(policy.conduct, name)
        yield Line(clause.paragraph, f"{voice.word(name)}: {voice.label(clause.text)}")


def _deviations(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for deviation in policy.deviations:
        yield Line(deviation.paragraph, joined(deviation.text, f"{voice.word('because')} {deviation.reason}"))
