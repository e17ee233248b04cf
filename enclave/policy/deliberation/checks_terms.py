"""What must hold between numbers, dates, versions, conditions and open points of a deliberation, and the house."""

import datetime as dt
import re
from collections.abc import Iterator
from itertools import pairwise

from enclave.policy.base import Fault, repeated
from enclave.policy.deliberation.document import DeliberationDocument
from enclave.policy.deliberation.geography import Ladder
from enclave.policy.deliberation.open_points import point_faults
from enclave.policy.house import HousePolicy
from enclave.policy.legal import legal_faults
from enclave.policy.strict_yaml import Path

RECEIPTS_ENDED = dt.date(2018, 5, 25)
"""From this day (Regulation (EU) 2016/679) nothing is declared to the Privacy Commission, so no receipt is issued."""
_SINCE_THEN = ("dpia", "record_of_processing")


def misfit(path: Path, sentence: str) -> Fault:
    """Return the fault of parts that do not fit each other."""
    return Fault("POLICY_INCONSISTENT", path, sentence)


def term_faults(policy: DeliberationDocument, house: HousePolicy) -> Iterator[Fault]:
    """Yield where the legal frame does not hold together."""
    dates = {"date": policy.date, "effective": policy.versions[0].effective, "until": policy.retention.until}
    yield from legal_faults(policy.id, policy.kind, policy.numbers, {**dates, "review": None})
    yield from _version_faults(policy)
    yield from _retention_faults(policy, house)
    yield from _prerequisite_faults(policy)
    yield from _point_faults(policy)


def _version_faults(policy: DeliberationDocument) -> Iterator[Fault]:
    versions = policy.versions
    for position, version in enumerate(versions):
        here = ("versions", position)
        if version.version != position + 1:
            yield misfit(here, "versions are counted from 1 without a gap; correct the number")
        if (version.replaces is None) != (position == 0):
            yield misfit(here, "every version but the first names the text that it replaces; write its SHA-256")
        if version.decided > version.effective:
            yield misfit(here, "a version is not in force before it was decided; correct one of the two days")
    if any(earlier.effective >= later.effective for earlier, later in pairwise(versions)):
        yield misfit(("versions",), "each version is in force later than the one before; put them in order")
    if (versions[0].decision, versions[0].decided) != (policy.numbers.decision, policy.date):
        yield misfit(("versions", 0), "the first version rests on the document itself; write its number and date")


def _retention_faults(policy: DeliberationDocument, house: HousePolicy) -> Iterator[Fault]:
    if policy.granted.until > policy.asked.until:
        sentence = "more would be granted than was asked; look the two dates up in the document"
        yield Fault("MORE_THAN_GRANTED", ("granted", "until"), sentence)
    if policy.retention.until > policy.granted.until:
        sentence = "the data would be kept longer than was granted; write the granted date, whatever was asked"
        yield Fault("MORE_THAN_GRANTED", ("retention", "until"), sentence)
    if not set(house.floors.retention_warning_days) <= set(policy.retention.warning_days):
        days = ", ".join(str(day) for day in house.floors.retention_warning_days)
        yield misfit(("retention", "warning_days"), f"the house warns {days} days ahead; keep these days")


def _prerequisite_faults(policy: DeliberationDocument) -> Iterator[Fault]:
    listed = policy.prerequisites
    if repeated(condition.id for condition in listed):
        yield misfit(("prerequisites",), "two entries are the same; keep each once")
    start = policy.versions[0].effective
    if not _covered(policy, "receipt", start, RECEIPTS_ENDED - dt.timedelta(days=1)):
        sentence = (
            "no data go out before the receipt of the declaration is there (par. 17); ask for it until 2018-05-24"
        )
        yield Fault("RECEIPT_MISSING", ("prerequisites",), sentence)
    for kind, since in (*((kind, RECEIPTS_ENDED) for kind in _SINCE_THEN), ("contract", start)):
        if not _covered(policy, kind, since, None):
            sentence = f"a prerequisite of kind {kind} is asked for from {max(since, start)} on, without end; add it"
            yield Fault("PREREQUISITE_MISSING", ("prerequisites",), sentence)


def _covered(policy: DeliberationDocument, kind: str, first: dt.date, last: dt.date | None) -> bool:
    """Say whether one prerequisite of the kind applies on all days from `first` on; on no day, that is so too."""
    first = max(first, policy.versions[0].effective)
    if last is not None and last < first:
        return True
    return any(
        condition.kind == kind
        and condition.applies_from <= first
        and (condition.applies_until is None or (last is not None and condition.applies_until >= last))
        for condition in policy.prerequisites
    )


def _point_faults(policy: DeliberationDocument) -> Iterator[Fault]:
    for fault in point_faults(policy.numbers.decision, policy.open_points):
        yield fault._replace(path=("open_points", *fault.path))
    for name, point in policy.open_points.items():
        if point.decided_on < policy.date:
            sentence = "this was decided before the document was there; correct the day"
            yield misfit(("open_points", name, "decided_on"), sentence)
    for path, name in _named_points(policy):
        if name not in policy.open_points:
            sentence = f"this rests on the open point '{name}', which is not answered; add it to open_points"
            yield Fault("OPEN_POINT_MISSING", path, sentence)


def _named_points(policy: DeliberationDocument) -> Iterator[tuple[Path, str]]:
    """Yield each place that names an open point."""
    for position, source in enumerate(policy.sources):
        for number, conflict in enumerate(source.conflicts):
            yield ("sources", position, "conflicts", number), conflict.point
    for field in ("classes", "counts"):
        for position, entry in enumerate(getattr(policy, field)):
            yield from _named((field, position), entry.point)
    for position, apart in enumerate(policy.coding.apart):
        yield ("coding", "apart", position), apart.point
    if policy.employer_amounts is not None:
        yield ("employer_amounts",), policy.employer_amounts.point
    if policy.geography is not None:
        yield from _named_by_ladder(policy.geography)


def _named_by_ladder(ladder: Ladder) -> Iterator[tuple[Path, str]]:
    for field in ("subgroup", "counting", "beside"):
        yield ("geography", field), getattr(ladder, field).point
    for position, rung in enumerate(ladder.rungs):
        yield from _named(("geography", "rungs", position), rung.point)


def _named(path: Path, point: str | None) -> Iterator[tuple[Path, str]]:
    if point is not None:
        yield path, point


def numbered(paragraph: str) -> frozenset[int]:
    """Return the numbered paragraphs that a reference such as "2, 6; house" names."""
    found = (re.match(r"(?:par\. )?([0-9]{1,3})(?![0-9/])", part.strip()) for part in re.split("[,;]", paragraph))
    return frozenset(int(match[1]) for match in found if match is not None)
