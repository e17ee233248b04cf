"""Results of stage 2: declared expressions over one stage-1 table, checked and worked out here from what is shown.

The words are those of the policy's results file: id, title, kind, table, select, denominator, lag, decimals.
The gateway checks them again and works the results out again; what is shown here is only a look ahead.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .codebook import Codebook
from .errors import InputError
from .figures import HIDDEN, HIDDEN_CHANGE
from .words import Words

SUM: Final = "sum"
SHARE: Final = "share"
CHANGE: Final = "change"
MOST_DECIMALS: Final = 6

HIDDEN_OPERAND: Final = Words(
    "een getal dat meetelt is verborgen; wat hier staat is nul of meer, of een aandeel zonder noemer",
    "un nombre qui entre dans le calcul est masqué ; ce chiffre est de zéro ou plus, ou une part sans dénominateur",
    "a figure that goes in is hidden; this one is zero or more, or a share of nothing",
)
HIDDEN_BEFORE_OR_AFTER: Final = Words(
    "een van beide getallen is verborgen; een verandering kan ook negatief zijn",
    "un des deux nombres est masqué ; une variation peut aussi être négative",
    "one of the two figures is hidden; a change can also be negative",
)

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One result, as it is sent to the gateway; InputError where its parts do not fit its kind."""

    id: str
    title: Words
    kind: str
    table: str
    select: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    denominator: Mapping[str, str] = field(default_factory=dict)
    lag: int = 0
    decimals: int = 0

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InputError(
                "RESULT_ID", f"'{self.id}' cannot be an id: up to 31 lower case letters, digits, '_' and '-'"
            )
        if self.kind == SUM and not self.select:
            raise self._error("a sum needs `select`: the codes to add up, such as select={'position': ['1']}")
        if any(not codes for codes in self.select.values()):
            raise self._error("`select` names a dimension without a code; name its codes or leave it out")
        if self.kind == SHARE and not self.denominator:
            raise self._error("a share needs `denominator`, such as denominator={'position': '_T'}")
        if self.kind == CHANGE and self.lag < 1:
            raise self._error("a change needs `lag`: 1 or more quarters")
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise self._error(f"`decimals` is 0 to {MOST_DECIMALS}")

    def check(self, dimensions: Sequence[str], codebook: Codebook, periods: Sequence[str]) -> None:
        """Refuse what does not fit the table: other dimensions, unknown codes, codes that overlap, too long a lag."""
        for name in (*self.select, *self.denominator):
            if name not in dimensions:
                raise self._error(f"table '{self.table}' has no dimension '{name}'; it has {', '.join(dimensions)}")
        for name, code in self.denominator.items():
            codebook[name].check(code)
        for name, codes in self.select.items():
            members = [leaf for code in codes for leaf in codebook[name].members(code)]
            if len(set(members)) != len(members):
                raise self._error(f"codes of '{name}' overlap; no category may count twice")
        if self.lag >= len(periods):
            raise self._error("`lag` reaches before the first quarter")

    @property
    def legend(self) -> tuple[str, Words]:
        """The mark of what is hidden in this result, and what it means."""
        if self.kind == CHANGE:
            return HIDDEN_CHANGE, HIDDEN_BEFORE_OR_AFTER
        return HIDDEN, HIDDEN_OPERAND

    def sent(self) -> dict[str, Any]:
        """Return what the gateway gets: fields that say nothing are left out."""
        fields: dict[str, Any] = {
            "id": self.id,
            "title": self.title.as_dict(),
            "kind": self.kind,
            "table": self.table,
            "select": {name: list(codes) for name, codes in self.select.items()},
            "denominator": dict(self.denominator),
            "lag": self.lag,
            "decimals": self.decimals,
        }
        return {name: value for name, value in fields.items() if value}

    def _error(self, sentence: str) -> InputError:
        return InputError("RESULT_SHAPE", f"result '{self.id}': {sentence}")


def selected(select: Mapping[str, str | Sequence[str]] | None) -> dict[str, tuple[str, ...]]:
    """Return `select` with a tuple of codes for each dimension; a single code may stand without brackets."""
    return {name: (codes,) if isinstance(codes, str) else tuple(codes) for name, codes in (select or {}).items()}
