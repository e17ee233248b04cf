"""Latent cells: when joint cells are needed, which ones, and that they hold all that a reader can work out."""

import random

import numpy as np
import pytest

from enclave.errors import RequestError
from enclave.sdc import latent
from enclave.sdc.attacker import intervals
from enclave.sdc.history import outside_view
from enclave.sdc.latent import atoms
from enclave.sdc.registry import Registry
from enclave.sdc.table import TableSpec, Variable
from tests.lib import brute_force
from tests.lib.populations import Population
from tests.lib.safety import meaning, places
from tests.lib.tables import ONE_MARK, hide, levels, table

A, B, C = Variable.flat("a", "xyz"), Variable.flat("b", "pq"), Variable.flat("c", "mn")


def spec(
    *dimensions: Variable,
    filters: tuple[tuple[Variable, str], ...] = (),
    periods: tuple[str, ...] = ("1",),
    constant: frozenset[str] = frozenset(),
) -> TableSpec:
    name = "".join(v.id for v in dimensions)
    return TableSpec(name, dimensions, periods, "p", filters=filters, constant=constant)


def latent_pairs(*specs: TableSpec, impossible: tuple[frozenset[tuple[str, str]], ...] = ()) -> set[str]:
    registry = Registry.of(specs, impossible)
    found = (key for key, hidden in zip(registry.keys, registry.latent, strict=True) if hidden)
    return {" ".join(f"{name}={code}" for name, code in sorted(key.pairs)) or "all" for key in found}


def test_decomposable_tables_need_no_joint_cells() -> None:
    assert not latent_pairs(spec(A, B), spec(B, C))
    assert not latent_pairs(spec(A), spec(B), spec(C))
    assert not latent_pairs(spec(A, B), spec(B, C), spec(A, C), spec(A, B, C))


def test_three_two_way_tables_need_the_inside() -> None:
    found = latent_pairs(spec(A, B), spec(B, C), spec(A, C))
    assert len(found) == 12
    assert "a=x b=p c=m" in found


def test_ears_stay_out_of_the_joint_cells() -> None:
    ear = Variable.flat("d", "01")
    assert len(latent_pairs(spec(A, B), spec(B, C), spec(A, C), spec(A, ear))) == 12


def test_a_selection_leaves_a_rest() -> None:
    assert latent_pairs(spec(B), spec(B, filters=((A, "x|y"),))) == {"a=z", "a=z b=p", "a=z b=q"}


def test_a_selection_alone_leaves_nothing() -> None:
    assert not latent_pairs(spec(B, filters=((A, "x|y"),)))


def test_many_separate_selections_have_one_rest() -> None:
    """Rests grow with the number of selections, not with the number of their subsets."""
    wide = Variable.flat("w", [f"w{i:02d}" for i in range(20)])
    specs = [spec(B, filters=((wide, f"w{i:02d}"),)) for i in range(19)]
    assert latent_pairs(spec(B), *specs) == {"w=w19", "b=p w=w19", "b=q w=w19"}


def test_overlapping_selections_are_cut_into_atoms() -> None:
    found = latent_pairs(spec(B, filters=((A, "x|y"),)), spec(B, filters=((A, "y|z"),)))
    assert {"a=x b=p", "a=y b=p", "a=z b=q"} <= found


def test_overlapping_selections_give_away_what_they_have_in_common() -> None:
    """Of x|y nobody is q, of y|z nobody is p: so nobody is y, and all of x|y are x, whatever x itself hides."""
    shown = [
        table("b | p q\npersons | 30 0", name="xy", filters=[(A, "x|y")]),
        table("b | p q\npersons | 0 50", name="yz", filters=[(A, "y|z")]),
    ]
    few = table("c | m n\npersons | 27 3", name="x", filters=[(A, "x")])
    printed = [hide(one, one.values < 0) for one in shown] + [hide(few, few.values >= 0)]
    knowledge, registry = outside_view([(printed, ONE_MARK)])
    everybody = int(registry.ids(2)[0, 0])
    assert intervals(knowledge, [everybody]).tolist() == [[30, 30]]


def test_two_filters_are_tied_to_the_whole() -> None:
    assert "a=y|z b=p c=n" in latent_pairs(spec(C), spec(C, filters=((A, "x"), (B, "p"))))


def test_two_ways_to_filter_one_margin_are_crossed() -> None:
    """Rows of one table and columns of another over the same two variables: nobody prints the whole of it."""
    assert latent_pairs(spec(B, filters=((A, "x|y"),)), spec(A, filters=((B, "p"),)))


def test_a_slice_crosses_its_dimensions_inside_its_filter_alone() -> None:
    """Two margins of everybody bound the rest of a crossed slice: its inner cells are followed."""
    sliced = spec(A, B, filters=((C, "m"),))
    assert "a=x b=p c=n" in latent_pairs(spec(A), spec(B), sliced)
    assert "a=x b=p c=n" in latent_pairs(sliced, spec(A), spec(B, filters=((C, "n"),)))
    assert "a=x b=p c=n" in latent_pairs(sliced, spec(A, C), spec(B))
    assert latent_pairs(sliced, spec(A)) == {"c=n", "a=x c=n", "a=y c=n", "a=z c=n"}


def test_a_slice_whose_rest_is_printed_needs_no_joint_cells() -> None:
    sliced, rest = (spec(A, B, filters=((C, code),)) for code in "mn")
    assert not [pairs for pairs in latent_pairs(sliced, rest, spec(A), spec(B)) if "c=" in pairs]


def test_an_impossible_combination_ties_its_variables() -> None:
    nobody = frozenset({("a", "x"), ("b", "p")})
    assert "a=x b=p" in latent_pairs(spec(A), spec(B), impossible=(nobody,))
    assert not latent_pairs(spec(A), impossible=(nobody,))


def test_an_impossible_combination_bounds_a_slice_of_its_variables() -> None:
    """All of x are q, of whom seven are shown: no more than seven of x can be m."""
    nobody = frozenset({("a", "x"), ("b", "p")})
    work = table("b | p q\npersons | 30 7", name="work")
    few = table("a | x y z\npersons | 6 20 5", name="few", filters=[(C, "m")])
    printed = [hide(work, work.values < 0), hide(few, few.values >= 0)]
    knowledge, registry = outside_view([(printed, ONE_MARK)], [nobody])
    assert intervals(knowledge, [int(registry.ids(1)[0, 1])]).tolist() == [[0, 7]]


def test_what_ties_the_dimensions_of_a_slice_to_other_tables_counts_as_a_margin() -> None:
    """So does an impossible combination with a variable of another table, and a variable that does not change."""
    sliced, region = spec(A, B, filters=((C, "m"),)), Variable.flat("d", "kl")
    nobody = frozenset({("b", "p"), ("d", "k")})
    assert "a=x b=p c=n" not in latent_pairs(sliced, spec(A), spec(region))
    assert any("a=x b=p c=n" in pairs for pairs in latent_pairs(sliced, spec(A), spec(region), impossible=(nobody,)))
    two, kept = ("1", "2"), frozenset("b")
    found = latent_pairs(
        spec(A, B, filters=((C, "m"),), periods=two, constant=kept), spec(A, periods=two, constant=kept)
    )
    assert "a=x b=p c=n" in found


def test_unchanging_variables_of_two_tables_are_crossed_over_periods() -> None:
    both = frozenset("ab")
    one, other = (spec(v, C, periods=("1", "2"), constant=both) for v in (A, B))
    registry = Registry.of([one, other])
    crossed = [key for key in registry.keys if {name for name, _ in key.pairs} == {"a", "b"}]
    assert {key.period for key in crossed} == {""}
    assert len(crossed) == 6


def test_too_large_a_crossing_of_unchanging_variables_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent, "MOST_UNCHANGING", 3)
    both = frozenset("ab")
    assert not latent_pairs(*(spec(v, C, periods=("1", "2"), constant=both) for v in (A, B)))


def test_too_many_joint_cells_are_refused_by_the_specs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent, "MOST_JOINT_CELLS", 11)
    with pytest.raises(RequestError) as refused:
        Registry.of([spec(A, B), spec(B, C), spec(A, C)])
    assert refused.value.code == "TOO_MANY_JOINT_CELLS"


def test_one_variable_with_different_leaves_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        Registry.of([spec(A), spec(Variable.flat("a", "xy"))])
    assert refused.value.code == "VARIABLE_TWO_WAYS"


def test_two_groupings_of_one_variable_are_put_together() -> None:
    one, other = levels("g", _T="P Q", P="1 2", Q="3"), levels("g", _T="X Y", X="1", Y="2 3")
    registry = Registry.of([spec(one), spec(other)])
    assert {"P", "Q", "X", "Y"} <= set(registry.variables["g"].codes)


def test_one_selection_under_two_names_is_one_cell() -> None:
    area = levels("area", _T="N S", N="a b", S="c d")
    registry = Registry.of([spec(B, filters=((area, "N"),)), spec(B, filters=((area, "b|a"),))])
    assert np.array_equal(registry.ids(0), registry.ids(1))


def test_atoms_are_the_coarsest_partition() -> None:
    assert atoms(A, [frozenset("xy")]) == [frozenset("xy"), frozenset("z")]
    assert atoms(A, [frozenset("xy"), frozenset("yz")]) == [frozenset("x"), frozenset("y"), frozenset("z")]


@pytest.mark.parametrize("seed", range(26))
def test_the_registry_knows_what_trying_every_table_shows(seed: int) -> None:
    """Random tables, filters and patterns: the interval of each hidden cell is that of the full crossing."""
    chance = random.Random(seed)
    population = Population.drawn(chance, (A, B, C), most=25)
    status: dict[object, bool] = {}
    printed = []
    for number in range(chance.randint(2, 4)):
        order = chance.sample([A, B, C], 3)
        split = chance.choice((1, 1, 2))
        filters = [
            (v, v.selection(chance.sample(v.leaves, chance.randint(1, len(v.leaves) - 1))))
            for v in order[split:]
            if chance.random() < 0.6
        ]
        truth = population.table(f"t{number}", order[:split], filters)
        hidden = np.zeros(truth.spec.shape, dtype=np.bool_)
        for place, key in places(truth.spec):
            small = bool(truth.values[place] < 5)
            hidden[place] = status.setdefault(meaning(key, truth.spec), small or chance.random() < 0.5)
        printed.append(hide(truth, hidden))
    tried = brute_force.intervals(printed, [ONE_MARK] * len(printed))
    knowledge, registry = outside_view([(printed, ONE_MARK)])
    for number, one in enumerate(printed):
        where = [(key, int(registry.ids(number)[place])) for place, key in places(one.spec) if not one.shown[place]]
        found = intervals(knowledge, [cell for _, cell in where])
        for (key, _), (low, high) in zip(where, found.tolist(), strict=True):
            least, greatest = tried[key]
            most = brute_force.CEILING if greatest is None else greatest
            assert (low, min(high, brute_force.CEILING)) == (least, most), sorted(key.pairs)
