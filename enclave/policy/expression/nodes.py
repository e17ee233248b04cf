"""What an expression is made of, the values it works on, and why a value can be missing."""

from dataclasses import dataclass
from enum import StrEnum

from enclave.errors import PolicyError

DIVIDES = "/"
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
FUNCTIONS = ("among", "class", "known", "total", "under", "when")


class Missing(StrEnum):
    """Why there is no value. The kinds stay apart; zero is a value and none of them."""

    BY_DESIGN = "by_design"
    """Nothing was ever asked or kept about this respondent, such as an employer outside a survey."""
    NOT_ANSWERED = "not_answered"
    """Asked, and left open."""
    NOT_APPLICABLE = "not_applicable"
    """There can be no value: a ratio of nothing, a wage of somebody without work."""
    UNKNOWN = "unknown"
    """There is a value, and the source does not have it."""


Value = bool | int | float | str | Missing
"""One value of a column. Codes and keys are text."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is written out."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Word:
    """A code or the name of a class scheme, written between single quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    id: str


@dataclass(frozen=True, slots=True)
class Undefined:
    """No value, since there can be none."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with its operands: one for `not`, else two."""

    operator: str
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One of `FUNCTIONS` with its arguments."""

    function: str
    arguments: tuple["Expression", ...]


Expression = Number | Word | Name | Undefined | Operation | Call


def parts(expression: Expression) -> tuple[Expression, ...]:
    """Return the expression and everything within it."""
    inside: tuple[Expression, ...] = ()
    if isinstance(expression, Operation):
        inside = expression.operands
    elif isinstance(expression, Call):
        inside = expression.arguments
    return (expression, *(part for one in inside for part in parts(one)))


def names(expression: Expression) -> frozenset[str]:
    """Return the variables that the expression reads."""
    return frozenset(part.id for part in parts(expression) if isinstance(part, Name))


def given_words(expression: Expression) -> frozenset[str]:
    """Return the codes that can be the value of the expression: it is one, or `when` chooses it."""
    if isinstance(expression, Word):
        return frozenset({expression.text})
    if isinstance(expression, Call) and expression.function == "when":
        return frozenset(word for value in expression.arguments[1:] for word in given_words(value))
    return frozenset()


def may_be_undefined(expression: Expression) -> bool:
    """Return whether the expression itself can come out as `not_applicable`."""
    return any(
        isinstance(part, Undefined) or (isinstance(part, Operation) and part.operator == DIVIDES)
        for part in parts(expression)
    )


def refusal(sentence: str) -> PolicyError:
    """Return the refusal of an expression; the sentence says what to do."""
    return PolicyError("EXPRESSION", sentence)
