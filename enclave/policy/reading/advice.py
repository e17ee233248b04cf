"""An advice as people read it."""

from collections.abc import Iterator

from enclave.policy.house import HousePolicy
from enclave.policy.model import Policy
from enclave.policy.reading import common
from enclave.policy.reading.page import Line, Section, Voice, joined


def sections(policy: Policy, house: HousePolicy, voice: Voice) -> Iterator[Section]:
    """Yield the sections of an advice, in the order of its file."""
    yield voice.section("numbers", [Line("", f"{voice.pair('version', policy.version)}; {_since(policy, voice)}")])
    yield common.basis(policy, voice)
    actors = policy.actors
    roles = (("requester", actors.requester), ("supplier", actors.supplier), ("authoriser", actors.authoriser))
    yield voice.section("actors", (common.actor(role, one, voice) for role, one in roles))
    yield common.purpose(policy, voice)
    reach = (("asked", policy.asked), ("granted", policy.granted))
    lines = (Line(entry.paragraph, f"{voice.word(name)}: {entry.text}") for name, entry in reach)
    yield voice.section("asked_granted", lines)
    days = (("until", policy.retention.until), ("review", policy.retention.review))
    text = joined(*(f"{voice.word(name)} {day}" for name, day in days if day is not None))
    yield voice.section("retention", [Line(policy.retention.paragraph, text)])
    yield common.prerequisites(policy.prerequisites, voice)
    points = ((name, getattr(policy.open_points, name)) for name in type(policy.open_points).model_fields)
    lines = (common.decision(name, point, point.choice, voice) for name, point in points)
    yield voice.section("open_points", lines)
    yield voice.section("population", _population(policy, voice))
    yield voice.section("variables", _variables(policy, voice))
    yield voice.section("tables", _tables(policy, voice))
    yield common.rules(policy, house, voice)
    yield voice.section("stages", _stages(policy, voice))


def _since(policy: Policy, voice: Voice) -> str:
    return f"{voice.word('in_force_from')} {policy.effective}"


def _population(policy: Policy, voice: Voice) -> Iterator[Line]:
    population, select = policy.population, policy.population.select
    yield Line(population.paragraph, voice.pair("unit", population.unit))
    yield Line(population.roll.paragraph, voice.pair("first_year", population.first_year))
    yield Line(population.paragraph, voice.pair("window", population.window_quarters))
    yield Line(select.paragraph, f"{select.source}: {', '.join((*select.regimes, *select.forms))}")


def _variables(policy: Policy, voice: Voice) -> Iterator[Line]:
    for variable in policy.variables:
        text = joined(
            f"{voice.label(variable.label)} [{variable.id}]: {variable.level}",
            voice.pair("unit", variable.unit),
            voice.word(variable.reference),
            f"{voice.word('codes_of')} {variable.codelist}",
            f"{voice.word('source')} {variable.source}",
        )
        yield Line(variable.paragraph, text)


def _tables(policy: Policy, voice: Voice) -> Iterator[Line]:
    for table in policy.tables:
        yield Line(table.paragraph, f"{table.id}: {voice.label(table.title)} ({' x '.join(table.dimensions)})")


def _stages(policy: Policy, voice: Voice) -> Iterator[Line]:
    inside, outside = policy.stages.inside, policy.stages.outside
    yield Line(inside.paragraph, voice.pair("inside", inside.audience))
    yield Line(outside.paragraph, f"{voice.pair('outside', outside.audience)} ({voice.words(outside.operations)})")
