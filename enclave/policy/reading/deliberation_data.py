"""Sources, data sets, coding and protection of a deliberation as people read them."""

from collections.abc import Iterator

from enclave.policy.deliberation.data_sets import DataSet
from enclave.policy.deliberation.model import Deliberation
from enclave.policy.deliberation.variables import AS_DELIVERED, DataVariable, Held
from enclave.policy.reading.page import Line, Section, Voice, joined


def sections(policy: Deliberation, voice: Voice) -> Iterator[Section]:
    """Yield the sections between the open points and the rules."""
    moments = (Line(moment.paragraph, f"{moment.id}: {voice.label(moment.label)}") for moment in policy.moments)
    yield voice.section("moments", moments)
    yield voice.section("sources", _sources(policy, voice))
    for data_set in policy.data_sets:
        yield Section(voice.label(data_set.label), tuple(_data_set(policy, data_set, voice)))
    yield voice.section("inputs", (_field(policy, given, voice) for given in policy.inputs))
    yield voice.section("derivations", _derivations(policy, voice))
    yield voice.section("classes", _classes(policy, voice))
    yield voice.section("families", _families(policy, voice))
    yield voice.section("coding", _coding(policy, voice))
    yield voice.section("geography", _geography(policy, voice))
    yield voice.section("employer_amounts", _amounts(policy, voice))
    yield voice.section("counts", _counts(policy, voice))


def _sources(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    names = {supplier.id: voice.label(supplier.name) for supplier in policy.actors.suppliers}
    moments = {moment.id: voice.label(moment.label) for moment in policy.moments}
    for source in policy.sources:
        text = joined(
            f"{voice.label(source.label)} [{source.id}]: {', '.join(names[one] for one in source.suppliers)}",
            voice.words(source.identifiers),
            ", ".join(moments[one] for one in source.moments),
            f"{voice.word(source.delivery)}, {voice.word(source.coverage)}",
            source.form or voice.word("form_open"),
        )
        yield Line(source.paragraph, text)
        for conflict in source.conflicts:
            yield Line(", ".join(conflict.between), f"{voice.word('conflict')}: {conflict.says} [{conflict.point}]")
        for holder in source.held_by:
            known = f"{voice.word('held_by')}: {voice.label(holder.name)}"
            yield Line(holder.paragraph, joined(known, holder.knows, holder.effect))


def _data_set(policy: Deliberation, data_set: DataSet, voice: Voice) -> Iterator[Line]:
    granted = ", ".join(str(number) for number in data_set.paragraphs)
    window = policy.moment(data_set.snapshots or "")
    snapshots = (
        "" if window is None else f"{voice.pair('snapshots', len(window.quarters))}, {voice.label(window.label)}"
    )
    yield Line(granted, joined(data_set.about, voice.pair("unit", data_set.unit), snapshots))
    for number, step in enumerate(data_set.steps, start=1):
        remarks = joined(step.source or "", voice.word(step.by) if step.by else "", voice.word(step.rows or ""))
        yield Line(step.paragraph, joined(f"{number}. {voice.word(step.do)}: {step.says}", remarks))
    for variable in data_set.variables:
        yield _field(policy, variable, voice)


def _field(policy: Deliberation, field: Held, voice: Voice) -> Line:
    moment = policy.moment(field.moment)
    text = joined(
        f"{voice.label(field.label)} [{field.id}]",
        field.level if isinstance(field, DataVariable) else "",
        _values(field, voice),
        voice.pair("unit", field.unit),
        "" if moment is None else voice.label(moment.label),
        voice.word("derived") if field.source is None else f"{voice.word('source')} {field.from_}",
        f"{voice.word('gaps')}: {voice.words(field.gaps)}" if field.gaps else "",
    )
    return Line(field.paragraph, text)


def _values(field: Held, voice: Voice) -> str:
    if field.kind != "class":
        return voice.word(field.kind)
    return voice.word(AS_DELIVERED) if field.scheme == AS_DELIVERED else f"{voice.word('codes_of')} {field.scheme}"


def _derivations(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    labels = {data_set.id: voice.label(data_set.label) for data_set in policy.data_sets}
    for derivation in policy.derivations:
        name = f"{labels[derivation.data_set]}, {derivation.variable} = {derivation.expression}"
        yield Line(derivation.paragraph, joined(name, derivation.says))


def _classes(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for scheme in policy.classes:
        bounds = ", ".join(str(bound) for bound in scheme.bounds)
        yield Line(scheme.paragraph, joined(f"{scheme.codelist}: {scheme.of}", f"{voice.word('bounds')}: {bounds}"))


def _families(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for family in policy.families:
        text = joined(
            f"{family.text}: {', '.join(family.variables or family.codes)}",
            f"{voice.word('because')} {family.reason}",
            f"{voice.word('signed_by')}: {family.signed_by}, {voice.word('on')} {family.signed_on}",
        )
        yield Line(family.paragraph, text)


def _coding(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for domain in policy.coding.domains:
        name = f"{voice.word('domain')} {domain.id}: {voice.word(domain.identifier)}"
        yield Line(policy.coding.paragraph, f"{name} ({', '.join(domain.data_sets)})")
    for apart in policy.coding.apart:
        yield Line(apart.paragraph, f"{voice.word('apart')}: {', '.join(apart.data_sets)} [{apart.point}]")


def _geography(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    ladder = policy.geography
    if ladder is None:
        return
    yield Line(ladder.minimum.paragraph, joined(voice.pair("minimum", ladder.minimum.value), ladder.report))
    group = ", ".join((ladder.variable, *ladder.subgroup.variables))
    text = joined(f"{voice.word('subgroup')}: {group}", voice.pair("counting", ladder.counting.value))
    yield Line(ladder.paragraph, text)
    for number, rung in enumerate(ladder.rungs, start=1):
        where = f"{voice.word('only_in')}: {', '.join(rung.only_in)}" if rung.only_in else ""
        shown = f"{number}. {voice.word(rung.level)}: {voice.word('shows')} {voice.words(rung.shows)}"
        yield Line(rung.paragraph, joined(shown, where))
    yield Line(ladder.paragraph, f"{voice.word('beside')}: {', '.join(ladder.beside.variables)}")


def _amounts(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    rule = policy.employer_amounts
    if rule is not None:
        yield Line(rule.minimum_workers.paragraph, ", ".join(rule.variables))
        yield voice.ruling("minimum", rule.minimum_workers)
        yield voice.ruling("largest_share", rule.largest_share)


def _counts(policy: Deliberation, voice: Voice) -> Iterator[Line]:
    for count in policy.counts:
        behind = ""
        if count.contributors is not None:
            second = count.contributors
            behind = f"{voice.pair('contributors', second.unit)}, {voice.pair('minimum', second.minimum)}, "
            behind += voice.pair("largest_share", second.largest_share)
        text = joined(
            f"{count.id}: {voice.label(count.title)}",
            voice.pair("unit", count.unit),
            voice.pair("minimum", count.minimum_frequency),
            behind,
            count.place,
        )
        yield Line(count.paragraph, text)
