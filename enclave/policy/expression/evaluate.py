"""The reference evaluator: slow, obvious, and what any faster one is compared with.

Columns are lists, tuples or arrays of one length. A missing operand makes the result missing, with the kind of the
first that is; `known` asks whether a value is there, and `when` looks at the chosen value only. A division by zero is
not applicable.
"""

import operator
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, SupportsIndex

from enclave.errors import EnclaveBug
from enclave.policy.codelist import Codelist
from enclave.policy.expression.nodes import Call, Expression, Missing, Name, Number, Operation, Value, Word


class Column(Protocol):
    """What a column must be able to do; lists, tuples and arrays can."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: SupportsIndex, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of numbers: a number belongs to the class with the greatest lower bound that it reaches."""

    bounds: tuple[float, ...]
    codes: tuple[str, ...]

    def of(self, number: float) -> Value:
        """Return the class of a number; unknown where it lies below all classes."""
        position = bisect_right(self.bounds, number)
        return self.codes[position - 1] if position else Missing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Tables:
    """Class schemes by name; for each variable that `under` climbs from, its code list."""

    classes: Mapping[str, Classes]
    codelists: Mapping[str, Codelist]


def evaluate(expression: Expression, columns: Mapping[str, Column], rows: int, tables: Tables) -> list[Value]:
    """Return the column that an expression gives; it must have been checked with `type_of`."""
    return _Evaluator({name: _plain(column) for name, column in columns.items()}, rows, tables).column(expression)


def _plain(column: Column) -> list[Value]:
    """Return a column as plain values: arrays hold numbers of their own kinds."""
    values: list[Any] = [column[row] for row in range(len(column))]
    return [value.item() if hasattr(value, "item") else value for value in values]


def _divide(left: float, right: float) -> Value:
    return Missing.NOT_APPLICABLE if right == 0 else left / right


_OPERATORS: Mapping[str, Callable[..., Value]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda left, right: left and right,
    "or": lambda left, right: left or right,
    "not": operator.not_,
}


@dataclass(frozen=True, slots=True)
class _Evaluator:
    """Evaluates each part for all rows."""

    columns: Mapping[str, list[Value]]
    rows: int
    tables: Tables

    def column(self, expression: Expression) -> list[Value]:
        match expression:
            case Number(value) | Word(value):
                return [value] * self.rows
            case Name(name):
                return self.columns[name]
            case Operation(sign, operands):
                return _row_by_row(_OPERATORS[sign], [self.column(operand) for operand in operands])
            case Call(function, arguments):
                return self.call(function, arguments)
            case _:
                return [Missing.NOT_APPLICABLE] * self.rows

    def call(self, function: str, arguments: tuple[Expression, ...]) -> list[Value]:
        given = [self.column(argument) for argument in arguments]
        match function:
            case "known":
                return [not isinstance(value, Missing) for value in given[0]]
            case "when":
                return [_chosen(*row) for row in zip(*given, strict=True)]
            case "among":
                return _row_by_row(lambda code, *wanted: code in wanted, given)
            case "under":
                return self.under(arguments[0], given)
            case "class":
                return _row_by_row(lambda number, scheme: self.tables.classes[scheme].of(number), given)
            case "total":
                return _totals(given[0], given[1])
            case _:
                raise EnclaveBug("EXPRESSION_FUNCTION", f"no function '{function}'; check expressions with type_of")

    def under(self, variable: Expression, given: list[list[Value]]) -> list[Value]:
        if not isinstance(variable, Name):
            raise EnclaveBug("EXPRESSION_FUNCTION", "under climbs from a variable; check expressions with type_of")
        codelist = self.tables.codelists[variable.id]
        return _row_by_row(lambda code, above: above in _line(codelist, code), given)


def _row_by_row(work: Callable[..., Value], columns: Sequence[list[Value]]) -> list[Value]:
    return [_unless_missing(work, row) for row in zip(*columns, strict=True)]


def _unless_missing(work: Callable[..., Value], row: tuple[Value, ...]) -> Value:
    return next((value for value in row if isinstance(value, Missing)), None) or work(*row)


def _chosen(condition: Value, value: Value, otherwise: Value) -> Value:
    if isinstance(condition, Missing):
        return condition
    return value if condition else otherwise


def _line(codelist: Codelist, code: str) -> list[str]:
    """Return a code and its ancestors."""
    line = []
    while code:
        line.append(code)
        code = codelist.by_code[code].parent
    return line


def _totals(numbers: list[Value], keys: list[Value]) -> list[Value]:
    """Return for each row the sum over the rows with its key.

    What is not applicable adds nothing; any other missing number makes the whole sum missing, since a sum of the rest
    would pass for the sum of all.
    """
    sums: dict[Value, Value] = {}
    for number, key in zip(numbers, keys, strict=True):
        sums[key] = _added(sums.get(key, Missing.NOT_APPLICABLE), number)
    return [key if isinstance(key, Missing) else sums[key] for key in keys]


def _added(so_far: Value, number: Value) -> Value:
    if number is Missing.NOT_APPLICABLE:
        return so_far
    if isinstance(so_far, Missing) and so_far is not Missing.NOT_APPLICABLE:
        return so_far
    return number if isinstance(so_far, Missing) or isinstance(number, Missing) else _plus(so_far, number)


def _plus(left: Value, right: Value) -> Value:
    return left + right  # type: ignore[operator]  # numbers, as type_of found
