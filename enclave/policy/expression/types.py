"""What kind of value an expression gives, found without evaluating it; anything that does not fit is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from enclave.policy.codelist import Codelist
from enclave.policy.expression.nodes import COMPARISONS, Call, Expression, Name, Number, Operation, Word, refusal


class Kind(StrEnum):
    """The kinds of values."""

    NUMBER = "number"
    CODE = "code"
    KEY = "key"
    """An identifier: it can be counted by, and nothing else."""
    TRUTH = "truth"
    ANY = "any"
    """Of `undefined`, which fits everywhere."""


@dataclass(frozen=True, slots=True)
class Type:
    """A kind and, for codes, the code list; None where the codes are as delivered."""

    kind: Kind
    codelist: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name: variables with their types, class schemes, code lists."""

    variables: Mapping[str, Type]
    schemes: frozenset[str]
    codelists: Mapping[str, Codelist]


NUMBER, TRUTH, ANY = Type(Kind.NUMBER), Type(Kind.TRUTH), Type(Kind.ANY)


def type_of(expression: Expression, scope: Scope) -> Type:
    """Return the type of an expression; PolicyError EXPRESSION where its parts do not fit each other."""
    match expression:
        case Number():
            return NUMBER
        case Word(text):
            raise refusal(f"the code '{text}' stands alone; compare a variable with it, or name it as a result of when")
        case Name(name):
            return _variable(name, scope)
        case Operation(operator, operands):
            return _operation(operator, operands, scope)
        case Call(function, arguments):
            return _CALLS[function](arguments, scope)
        case _:
            return ANY


def _variable(name: str, scope: Scope) -> Type:
    if name not in scope.variables:
        raise refusal(f"there is no variable '{name}' here; list it, or name it among the inputs")
    return scope.variables[name]


def _want(kind: Kind, expression: Expression, scope: Scope) -> Type:
    found = type_of(expression, scope)
    if found.kind not in {kind, Kind.ANY}:
        raise refusal(f"a {found.kind} stands where a {kind} is needed; correct it")
    return found


def _operation(operator: str, operands: tuple[Expression, ...], scope: Scope) -> Type:
    if operator in {"and", "or", "not"}:
        for operand in operands:
            _want(Kind.TRUTH, operand, scope)
        return TRUTH
    left, right = operands
    if operator in {"=", "!="} and isinstance(right, Word):
        _code(left, right, scope)
        return TRUTH
    for operand in operands:
        _want(Kind.NUMBER, operand, scope)
    return TRUTH if operator in COMPARISONS else NUMBER


def _code(expression: Expression, word: Expression, scope: Scope) -> None:
    """Refuse a word that is no code of the expression's code list."""
    found = _want(Kind.CODE, expression, scope)
    if not isinstance(word, Word):
        raise refusal("a code in single quotes is needed here; write it, such as 'BW'")
    codelist = scope.codelists.get(found.codelist or "")
    if codelist is not None and word.text not in codelist.by_code:
        raise refusal(f"'{word.text}' is not a code of '{codelist.id}'; correct it")


def _arguments(arguments: tuple[Expression, ...], least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise refusal("a function has too few or too many arguments; see the words of the language")


def _when(arguments: tuple[Expression, ...], scope: Scope) -> Type:
    """Type when(condition, value, otherwise): both values are of one type; words are codes of the variable derived."""
    _arguments(arguments, 3, 3)
    _want(Kind.TRUTH, arguments[0], scope)
    first, second = (Type(Kind.CODE) if isinstance(value, Word) else type_of(value, scope) for value in arguments[1:])
    if Kind.ANY in {first.kind, second.kind}:
        return second if first.kind is Kind.ANY else first
    if first.kind is not second.kind:
        raise refusal("when gives values of two kinds; make them one kind")
    return first if first == second else Type(first.kind)


def _among(arguments: tuple[Expression, ...], scope: Scope) -> Type:
    _arguments(arguments, 2, 40)
    for word in arguments[1:]:
        _code(arguments[0], word, scope)
    return TRUTH


def _under(arguments: tuple[Expression, ...], scope: Scope) -> Type:
    _arguments(arguments, 2, 2)
    codelist = _want(Kind.CODE, arguments[0], scope).codelist
    if not isinstance(arguments[0], Name) or codelist not in scope.codelists:
        raise refusal("under needs a variable with a code list, whose hierarchy it climbs; use among instead")
    _code(arguments[0], arguments[1], scope)
    return TRUTH


def _known(arguments: tuple[Expression, ...], scope: Scope) -> Type:
    _arguments(arguments, 1, 1)
    type_of(arguments[0], scope)
    return TRUTH


def _total(arguments: tuple[Expression, ...], scope: Scope) -> Type:
    _arguments(arguments, 2, 2)
    _want(Kind.NUMBER, arguments[0], scope)
    _want(Kind.KEY, arguments[1], scope)
    return NUMBER


def _class(arguments: tuple[Expression, ...], scope: Scope) -> Type:
    _arguments(arguments, 2, 2)
    _want(Kind.NUMBER, arguments[0], scope)
    scheme = arguments[1]
    if not isinstance(scheme, Word) or scheme.text not in scope.schemes:
        raise refusal("class needs the name of a class scheme in single quotes; name one of `classes`")
    return Type(Kind.CODE, scheme.text)


_CALLS = {"when": _when, "among": _among, "under": _under, "known": _known, "total": _total, "class": _class}
