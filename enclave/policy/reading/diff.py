"""What changes from one policy to another, in sentences: nothing that differs is left out.

Each sentence starts with WIDER (more is let out, for longer, or on easier terms), NARROWER, or CHANGED where the
direction is for people to judge.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from enclave.errors import EnclaveBug
from enclave.policy.base import Model
from enclave.policy.deliberation.variables import AS_DELIVERED, GEOGRAPHY, LEVELS

_NAMES = ("id", "variable", "version", "decision", "level", "codelist", "code")
"""What entries of a list are told apart by, in this order; otherwise by their place."""
_LETS_OUT = {"variables", "data_sets", "sources", "inputs", "counts", "tables", "suppliers", "extensions", "operations"}
_LETS_OUT |= {"groups", "regimes", "forms", "codes"}
_HOLDS_BACK = {"prerequisites", "apart", "subgroup", "structural_zeros", "warning_days"}
_HOLDS_BACK |= {"geography", "employer_amounts", "contributors", "held_by"}
_LESS_IS_WIDER = {"minimum_frequency", "output_checkers", "minimum", "minimum_workers"}
_MORE_IS_WIDER = {"until", "review", "largest_share", "valid_days", "bounds", "window_quarters"}
_PLACES = {"finest_place", "scheme", "codelist"}

Path = tuple[str, ...]
Leaf = str | int | float | date | bool | tuple[object, ...] | None


class Change(NamedTuple):
    """One difference: how it goes, and the sentence."""

    direction: str
    sentence: str

    def __str__(self) -> str:
        """Return the line for people."""
        return f"{self.direction}: {self.sentence}"


def diff(old: Model, new: Model) -> Iterator[Change]:
    """Yield every difference between two policies: what is gone, what has come, what has another value."""
    before, after = _facts(old), _facts(new)
    gone, come = _heads(before, after), _heads(after, before)
    for head in gone:
        yield _entry_change(head, "removed", before)
    for head in come:
        yield _entry_change(head, "added", after)
    for path, value in after.items():
        if path in before and before[path] != value:
            yield _value_change(path, before[path], value)


def _facts(policy: Model) -> dict[Path, Leaf]:
    return dict(_flat((), policy))


def _flat(path: Path, value: object) -> Iterator[tuple[Path, Leaf]]:
    """Yield everything that a policy says, each with its place by names instead of positions."""
    if isinstance(value, Model):
        fields = type(value).model_fields
        for name, field in fields.items():
            yield from _flat((*path, field.alias or name), getattr(value, name))
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _flat((*path, str(name)), entry)
    elif isinstance(value, tuple) and value and isinstance(value[0], Model):
        for position, entry in enumerate(value):
            yield from _flat((*path, _name(entry, position)), entry)
    elif value is None or isinstance(value, (str, int, float, date, tuple)):
        yield path, value
    else:
        raise EnclaveBug("POLICY_DIFF", "a policy holds a kind of value that is not compared; compare it")


def _name(entry: Model, position: int) -> str:
    """Return the name of an entry of a list; two fields name a derivation or a step of one data set."""
    names = [str(getattr(entry, name)) for name in _NAMES if isinstance(getattr(entry, name, None), (str, int))]
    data_set = getattr(entry, "data_set", None)
    return " of ".join((names[0], str(data_set))) if names and data_set else (*names, str(position + 1))[0]


def _heads(here: Mapping[Path, Leaf], there: Mapping[Path, Leaf]) -> list[Path]:
    """Return the shortest paths that are here and of which nothing is there; null is nothing where an entry comes."""
    known = {head for path, leaf in there.items() if leaf is not None or path in here for head in _prefixes(path)}
    found = (next((head for head in _prefixes(path) if head not in known), None) for path in here)
    return list(dict.fromkeys(head for head in found if head is not None))


def _prefixes(path: Path) -> Iterator[Path]:
    """Yield the paths that lead to a path, the shortest first, and itself."""
    return (path[:length] for length in range(1, len(path) + 1))


def _entry_change(head: Path, what: str, facts: Mapping[Path, Leaf]) -> Change:
    kind = next((name for name in head[:-3:-1] if name in _LETS_OUT | _HOLDS_BACK), "")
    direction = "CHANGED"
    if kind:
        direction = "WIDER" if (kind in _LETS_OUT) == (what == "added") else "NARROWER"
    said = facts.get(head)
    paragraph = facts.get((*head, "paragraph"))
    told = f" ({said})" if said is not None else f" (par. {paragraph})" if paragraph else ""
    return Change(direction, f"{_place(head)} is {what}{told}")


def _value_change(path: Path, old: Leaf, new: Leaf) -> Change:
    if isinstance(old, tuple) and isinstance(new, tuple) and path[-1] != "bounds":
        return _list_change(path, old, new)
    return Change(_direction(path, old, new), f"{_place(path)} is '{_said(new)}' and was '{_said(old)}'")


def _list_change(path: Path, old: tuple[object, ...], new: tuple[object, ...]) -> Change:
    added = [str(entry) for entry in new if entry not in old]
    removed = [str(entry) for entry in old if entry not in new]
    parts = [f"{', '.join(names)} {what}" for names, what in ((added, "added"), (removed, "removed")) if names]
    direction = "CHANGED"
    if bool(added) != bool(removed) and path[-1] in _LETS_OUT | _HOLDS_BACK:
        direction = "WIDER" if (path[-1] in _LETS_OUT) == bool(added) else "NARROWER"
    return Change(direction, f"{_place(path)}: {' and '.join(parts) or 'another order'}")


def _direction(path: Path, old: Leaf, new: Leaf) -> str:
    name = path[-2] if path[-1] == "value" else path[-1]
    judges: tuple[tuple[set[str], Callable[[Leaf, Leaf], int]], ...] = (
        (_LESS_IS_WIDER, lambda first, second: _compared(second, first)),
        (_MORE_IS_WIDER, _compared),
        (_PLACES, lambda first, second: _fineness(second) - _fineness(first)),
    )
    found = next((judge(old, new) for names, judge in judges if name in names), 0)
    return "WIDER" if found > 0 else "NARROWER" if found < 0 else "CHANGED"


def _compared(old: Leaf, new: Leaf) -> int:
    """Return 1 where the new value is more: later, larger, longer, or without any limit."""
    if old is None or new is None:
        return (new is None) - (old is None)
    first, second = (len(value) if isinstance(value, tuple) else value for value in (old, new))
    return (second > first) - (second < first)  # type: ignore[operator]  # the same field of the same model


def _fineness(value: Leaf) -> int:
    """Return how much a scheme tells: nothing to compare 0, coarse places little, no classes at all the most."""
    if value in {None, AS_DELIVERED}:
        return len(LEVELS) + 1
    level = GEOGRAPHY.get(str(value), str(value))
    return len(LEVELS) - LEVELS.index(level) if level in LEVELS else 0


def _said(value: Leaf) -> str:
    return ", ".join(str(entry) for entry in value) if isinstance(value, tuple) else str(value)


def _place(path: Path) -> str:
    return ".".join(path)
