"""Stage 2 (advice 17/17 par. 4): results derived from protected stage-1 tables by declared expressions.

A derivation first adds up the selected categories of some dimensions (these leave the table and become its filter).
Then, by kind, it stops there (`sum`), divides by the cells at other categories (`share`, in percent), or subtracts the
cell some periods earlier (`change`). It reads shown cells only: a hidden operand hides the result. So nothing is
derived that a reader of stage 1 could not work out alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from enclave.errors import RequestError
from enclave.sdc.derivation import Derivation, Kind
from enclave.sdc.table import Bools, Ints, ProtectedTable, TableSpec, Variable

HIDDEN = "C"
"""Mark of a sum or a share of which an operand is hidden."""

HIDDEN_CHANGE = "X"
"""Mark of a change of which an operand is hidden. Unlike all else that is hidden, it can be negative."""

NOT_APPLICABLE = "N"
"""Mark of a share whose denominator is zero: nothing is hidden, there is no figure."""


def derive(derivations: Sequence[Derivation], tables: Sequence[ProtectedTable]) -> tuple[ProtectedTable, ...]:
    """Return one derived table per derivation, in order; RequestError when one does not fit the tables given."""
    sources = {table.spec.id: table for table in tables}
    taken = set(sources)
    for derivation in derivations:
        if derivation.table not in sources:
            raise RequestError(
                "DERIVATION_TABLE", f"derivation '{derivation.id}': there is no table '{derivation.table}'"
            )
        if derivation.id in taken:
            raise RequestError("DERIVATION_TWICE", f"the id '{derivation.id}' is already a table's; choose another")
        taken.add(derivation.id)
    return tuple(_derive_one(derivation, sources[derivation.table]) for derivation in derivations)


def derived_spec(derivation: Derivation, spec: TableSpec) -> TableSpec:
    """Return what the derived table is; its measure tells apart figures that only look alike."""
    _check(derivation, spec)
    chosen = dict(derivation.select)
    filters = tuple((v, v.selection(chosen[v.id])) for v in spec.dimensions if v.id in chosen)
    summed = replace(
        spec,
        id=derivation.id,
        dimensions=tuple(v for v in spec.dimensions if v.id not in chosen),
        filters=spec.filters + filters,
    )
    if derivation.kind is Kind.SHARE:
        of = ",".join(f"{name}={code}" for name, code in sorted(derivation.denominator))
        return replace(summed, unit="percent", measure=f"{spec.measure}:share:{of}", constant=frozenset())
    if derivation.kind is Kind.CHANGE:
        measure, periods = f"{spec.measure}:change:{derivation.lag}", spec.periods[derivation.lag :]
        return replace(summed, periods=periods, measure=measure, constant=frozenset())
    return summed


def is_change(spec: TableSpec) -> bool:
    """Whether the figures of a table are changes between periods."""
    return f":{Kind.CHANGE.value}:" in spec.measure


def relations(derivation: Derivation, spec: TableSpec) -> sparse.csr_array | None:
    """Return the matrix with derived cells == matrix @ stage-1 cells (both flattened); None for a share: not linear."""
    if derivation.kind is Kind.SHARE:
        return None
    _check(derivation, spec)
    return _operands(derivation, spec, {})


def _derive_one(derivation: Derivation, source: ProtectedTable) -> ProtectedTable:
    spec = derived_spec(derivation, source.spec)
    operands = _operands(derivation, source.spec, {})
    values, hidden = _apply(operands, source)
    structural = abs(operands) @ (~source.structural).ravel().astype(np.int64) == 0
    marks = np.where(hidden, HIDDEN_CHANGE if derivation.kind is Kind.CHANGE else HIDDEN, "F")
    decimals = source.decimals
    if derivation.kind is Kind.SHARE:
        divisors, divisor_hidden = _apply(_operands(derivation, source.spec, dict(derivation.denominator)), source)
        marks = np.where(hidden | divisor_hidden, HIDDEN, np.where(divisors == 0, NOT_APPLICABLE, "F"))
        values = _percent(values, np.where(marks == "F", divisors, 1), derivation.decimals)
        decimals = derivation.decimals
    shown = marks == "F"
    return ProtectedTable(
        spec,
        np.where(shown, values, 0).reshape(spec.shape),
        marks.reshape(spec.shape),
        (structural & shown).reshape(spec.shape),
        decimals,
    )


def _apply(operands: sparse.csr_array, source: ProtectedTable) -> tuple[Ints, Bools]:
    """Return per derived cell the combination of its operands, and whether one of them is hidden."""
    values = operands @ source.values.ravel()
    hidden = abs(operands) @ (~source.shown).ravel().astype(np.int64)
    return np.asarray(values, dtype=np.int64), np.asarray(hidden > 0, dtype=np.bool_)


def _operands(derivation: Derivation, spec: TableSpec, instead: Mapping[str, str]) -> sparse.csr_array:
    """Return which stage-1 cells make up each derived cell; `instead` fixes the category of some dimensions.

    Built axis by axis: periods, then each dimension (summed away, fixed, or kept as it is).
    """
    chosen = dict(derivation.select)
    matrix = _lagged(len(spec.periods), derivation.lag)
    for variable in spec.dimensions:
        if variable.id in instead:
            rows = 1 if variable.id in chosen else len(variable.codes)
            step = np.tile(_indicator(variable, (instead[variable.id],)), (rows, 1))
        elif variable.id in chosen:
            step = _indicator(variable, chosen[variable.id])
        else:
            step = np.eye(len(variable.codes), dtype=np.int64)
        matrix = sparse.csr_array(sparse.kron(matrix, sparse.csr_array(step), format="csr"))
    return matrix


def _lagged(periods: int, lag: int) -> sparse.csr_array:
    same = np.eye(periods, dtype=np.int64)
    return sparse.csr_array(same[lag:] - same[: periods - lag] if lag else same)


def _indicator(variable: Variable, codes: Sequence[str]) -> Ints:
    return np.array([[int(code in codes) for code in variable.codes]], dtype=np.int64)


def _percent(numerators: Ints, divisors: Ints, decimals: int) -> Ints:
    """Return 100 x numerator / divisor, scaled by 10**decimals, exactly rounded, halves to even."""
    scaled = numerators.astype(object) * (100 * 10**decimals) * np.sign(divisors)  # whole numbers of any size
    size = abs(divisors).astype(object)
    quotient = scaled // size
    twice_rest = 2 * (scaled - quotient * size)
    up = (twice_rest > size) | ((twice_rest == size) & (quotient % 2 == 1))
    return np.asarray(quotient + up, dtype=np.int64)


def _check(derivation: Derivation, spec: TableSpec) -> None:
    where = f"derivation '{derivation.id}' of table '{spec.id}'"
    variables = {v.id: v for v in spec.dimensions}
    if ":" in spec.measure:
        raise RequestError("DERIVATION_OF_DERIVED", f"{where}: derive from stage-1 tables only")
    for name in [name for name, _ in (*derivation.select, *derivation.denominator)]:
        if name not in variables:
            raise RequestError("DERIVATION_DIMENSION", f"{where}: '{name}' is not a dimension of that table")
    for name, code in [*derivation.denominator, *((n, c) for n, codes in derivation.select for c in codes)]:
        if code not in variables[name].codes:
            raise RequestError("DERIVATION_CODE", f"{where}: '{code}' is not a code of '{name}'")
    for name, codes in derivation.select:
        members = [leaf for code in codes for leaf in variables[name].members(code)]
        if len(set(members)) != len(members):
            raise RequestError("DERIVATION_OVERLAP", f"{where}: categories of '{name}' overlap; none may count twice")
    if derivation.lag >= len(spec.periods):
        raise RequestError("DERIVATION_LAG", f"{where}: 'lag' reaches before the first period")
