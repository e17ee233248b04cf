"""Working a declared result out from the released figures: a hidden operand hides it, nothing is ever guessed."""

from collections.abc import Sequence

import pandas as pd

from .data import PERIOD
from .figures import FREE, HIDDEN, HIDDEN_CHANGE, MARK, NOT_APPLICABLE, STATUS, VALUE
from .results import CHANGE, SHARE, Declaration

_DIVISOR = "divisor"


def derive(declaration: Declaration, figures: pd.DataFrame, dimensions: Sequence[str]) -> pd.DataFrame:
    """Return the figures of the result; those of a share are percentages rounded half to even."""
    summed = _summed(figures, dimensions, dict(declaration.select))
    if declaration.kind == CHANGE:
        return _changed(summed, declaration.lag)
    if declaration.kind == SHARE:
        return _shared(declaration, figures, dimensions, summed)
    return _marked(summed)


def _summed(figures: pd.DataFrame, dimensions: Sequence[str], select: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """Add up the selected codes, which leave the table; a sum with a hidden operand is missing."""
    chosen, operands = figures, 1
    for name, codes in select.items():
        chosen = chosen[chosen[name].isin(codes)]
        operands *= len(codes)
    kept = [name for name in dimensions if name not in select]
    return chosen.groupby([*kept, PERIOD], sort=False)[VALUE].sum(min_count=operands).reset_index()


def _changed(summed: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Subtract the figure `lag` quarters earlier; the first quarters have no such figure and are left out."""
    periods = sorted(summed[PERIOD].unique())
    earlier = summed.assign(**{PERIOD: summed[PERIOD].map(dict(zip(periods, periods[lag:], strict=False)))})
    keys = [name for name in summed.columns if name != VALUE]
    both = summed.merge(earlier.dropna(subset=[PERIOD]), on=keys, suffixes=("", "_before"))
    both[VALUE] = both[VALUE] - both.pop(f"{VALUE}_before")
    return _marked(both, HIDDEN_CHANGE)


def _shared(
    declaration: Declaration, figures: pd.DataFrame, dimensions: Sequence[str], summed: pd.DataFrame
) -> pd.DataFrame:
    """Divide by the figures at the codes of the denominator, in percent."""
    instead = {name: (code,) for name, code in declaration.denominator.items()}
    divisors = _summed(figures, dimensions, dict(declaration.select) | instead).rename(columns={VALUE: _DIVISOR})
    keys = [name for name in divisors.columns if name != _DIVISOR]
    both = summed.merge(divisors, on=keys, how="left")
    nothing = (both[_DIVISOR] == 0).fillna(value=False) & both[VALUE].notna()
    shares = [
        pd.NA if pd.isna(part) or pd.isna(whole) or whole == 0 else percent(part, whole, declaration.decimals)
        for part, whole in zip(both[VALUE], both.pop(_DIVISOR), strict=True)
    ]
    both[VALUE] = pd.array(shares, dtype="Float64")
    marked = _marked(both)
    marked.loc[nothing, [MARK, STATUS]] = [FREE, NOT_APPLICABLE]
    return marked


def percent(part: int, whole: int, decimals: int) -> float:
    """Return 100 x part / whole with these decimals: exact until the last rounding, halves to even."""
    scaled, scale = int(part) * 100 * 10**decimals, int(whole)
    quotient, rest = divmod(scaled, scale)
    up = 2 * rest > scale or (2 * rest == scale and quotient % 2 == 1)
    return float((quotient + up) / 10**decimals)


def _marked(figures: pd.DataFrame, mark: str = HIDDEN) -> pd.DataFrame:
    marked = figures.copy()
    marked[MARK] = marked[VALUE].isna().map({True: mark, False: FREE})
    marked[STATUS] = "A"
    return marked
