"""Protecting a request: needs, legends, knowledge from before, and the fallback."""

import numpy as np
import pytest

from enclave.errors import RequestError
from enclave.sdc.attacker import NO_DEPTH
from enclave.sdc.history import History, Remembered, outside_view, published_knowledge
from enclave.sdc.judgement import needs
from enclave.sdc.protection import protect
from enclave.sdc.safety_rules import MarkMode, Rules, Weights, Zeros, information, sensitive
from enclave.sdc.situation import Situation, derivable
from enclave.sdc.table import NO_UPPER, Bools, Ints, Mark, Table, Variable
from tests.lib.safety import ask
from tests.lib.tables import ONE_MARK, again, at, cover, draw, hide, table

REGION = Variable.flat("region", "ABC")


def ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def bools(*values: int) -> Bools:
    return np.array(values, dtype=np.bool_)


def test_a_cell_that_no_mark_calls_small_must_reach_the_threshold() -> None:
    reach, depth = needs(bools(1, 1, 0), ints(0, 0, 0), np.full(3, NO_UPPER), bools(0, 1, 0), Rules())
    assert reach.tolist() == [5, 5, 0]
    assert set(depth.tolist()) == {NO_DEPTH}


def test_a_cell_called_small_may_be_all_that_its_mark_allows() -> None:
    reach, depth = needs(bools(1, 1), ints(1, 5), ints(4, NO_UPPER), bools(0, 0), Rules(mark=MarkMode.TWO))
    assert reach.tolist() == [4, 0]
    assert depth.tolist() == [1, NO_DEPTH]


def test_a_latent_cell_under_two_marks_reaches_what_small_allows() -> None:
    reach, _ = needs(bools(1), ints(0), ints(NO_UPPER), bools(1), Rules(mark=MarkMode.TWO))
    assert reach.tolist() == [4]


def test_a_threshold_below_one_is_refused() -> None:
    for wrong in (0, True):
        with pytest.raises(RequestError):
            Rules(minimum_frequency=wrong)


def test_what_each_treatment_of_zeros_hides() -> None:
    values, structural = ints(0, 0, 1, 4, 5), bools(0, 1, 0, 0, 0)
    hidden = {zeros: sensitive(values, structural, Rules(zeros=zeros)).astype(int).tolist() for zeros in Zeros}
    assert hidden[Zeros.SHOW] == hidden[Zeros.SHOW_OR_SECONDARY] == [0, 0, 1, 1, 0]
    assert hidden[Zeros.HIDE] == [1, 1, 1, 1, 0]
    assert hidden[Zeros.STRUCTURAL] == [1, 0, 1, 1, 0]


def test_what_hiding_costs() -> None:
    values = ints(0, 2, 6)
    assert information(values, Rules(weights=Weights.UNIT)).tolist() == [1, 1, 1]
    assert information(values, Rules(weights=Weights.COUNT)).tolist() == [1, 2, 6]
    assert information(values, Rules(weights=Weights.LOG_COUNT)).tolist() == [1, 2, 3]


def test_the_last_of_a_sum_and_the_parts_of_nothing_follow() -> None:
    truth = table("region | A B C\npersons | 3 9 0", variables=[REGION])
    situation = Situation.of([truth], Rules(), History())
    total, a, b, c = situation.ids[0].ravel()
    public = np.zeros(4, dtype=np.bool_)
    public[[total, a, b]] = True
    assert derivable(situation.matrix, situation.values, public).all()
    nothing = np.zeros(4, dtype=np.int64)
    assert derivable(situation.matrix, nothing, np.arange(4) == total).all()
    assert derivable(situation.matrix, situation.values, np.arange(4) == c).sum() == 1


def test_a_figure_shown_in_two_ways_is_refused() -> None:
    truth = table("region | A B\npersons | 7 9")
    other = table("region | A B\npersons | 8 8", name="u")
    shown = np.zeros(truth.spec.shape, dtype=np.bool_)
    with pytest.raises(RequestError) as refused:
        published_knowledge([hide(truth, shown), hide(other, shown)], ONE_MARK)
    assert refused.value.code == "RELEASES_DISAGREE"


def test_marks_of_several_releases_add_up_and_a_shown_figure_ends_them() -> None:
    truth = table("region | A B\npersons | 3 9")
    seen = Remembered(3)
    ids = np.arange(3).reshape(truth.spec.shape)
    seen.add(ids, cover(truth, "region | _T A B\npersons | . C C"), (Mark("C", 0, None),))
    seen.add(ids, cover(truth, "region | _T A B\npersons | . C D"), (Mark("C", 1, 4), Mark("D", 5, None)))
    assert seen.withheld.tolist() == [False, True, True]
    assert (seen.low[1], seen.high[1], seen.low[2]) == (1, 4, 5)
    seen.add(ids, hide(truth, np.zeros(truth.spec.shape, dtype=np.bool_)), ())
    assert not seen.withheld.any()


def test_what_is_impossible_is_public_to_an_outsider() -> None:
    truth = table("sex\\work | job none\nM | 0 9\nF | 7 8")
    everything = hide(truth, np.ones(truth.spec.shape, dtype=np.bool_))
    knowledge, registry = outside_view([([everything], ONE_MARK)], [frozenset({("sex", "M"), ("work", "job")})])
    assert [sorted(registry.keys[i].pairs) for i in np.flatnonzero(knowledge.public)] == [
        [("sex", "M"), ("work", "job")]
    ]


def test_a_zero_hidden_once_weakens_the_legend_of_the_next_release() -> None:
    """The fallback of one release hid zeros; a later mark may not say that hidden cells are at least 1."""
    truth = table("region | A B\npersons | 3 0")
    _, history = ask(truth, rules=Rules(zeros=Zeros.SHOW_OR_SECONDARY))
    everything = hide(truth, np.ones(truth.spec.shape, dtype=np.bool_))
    history = History(tuple(type(r)(r.table, everything, ONE_MARK) for r in history.released))
    second, _ = ask(again(truth, name="u"), rules=Rules(zeros=Zeros.SHOW), after=history)
    assert second.marks[0].minimum == 0
    assert not second.tables[0].shown.any()


def test_where_two_marks_would_say_too_much_one_is_used() -> None:
    protection, _ = ask(table("region | A B C\npersons | 1 1 2"), rules=Rules(mark=MarkMode.TWO, zeros=Zeros.SHOW))
    assert protection.fallback
    assert protection.marks == (Mark("C", 0, None),)
    assert not protection.tables[0].shown.any()


def by_sex(name: str, men: int, women: int, date: str, region: str = "") -> Table:
    filters = [(REGION, region)] if region else []
    return table(f"sex | M F\npersons | {men} {women}", name=name, data_date=date, filters=filters)


def test_what_a_correction_left_alone_can_bound_a_new_cell_and_is_named() -> None:
    """All but B, then all: whoever knows that the total of women did not change knows the one woman of B."""
    history = History()
    for before in (by_sex("all", 13, 12, ""), by_sex("rest", 9, 11, "2", "A|C")):
        _, history = ask(before, after=history)
    last, history = ask(by_sex("all2", 14, 12, "2"), after=history)
    assert any(dict(key.pairs) == {"region": "B", "sex": "F"} for key in last.known_elsewhere)
    assert at(last.tables[0], sex="F") == "C"
    assert not last.fallback


def test_nothing_is_known_before_a_first_request() -> None:
    protection = protect([by_sex("all", 13, 2, "")], Rules())
    assert not protection.known_elsewhere
    assert not any(known.any() for known in protection.known_before)


def test_a_cell_bounded_by_earlier_releases_does_not_stop_a_request() -> None:
    """An unsafe release of the past bounds A: asking for its parts gives marks, no error, and says why."""
    truth = table("region | A B\npersons | 3 20", variables=[Variable.flat("region", "AB")])
    unsafe = cover(truth, "region | _T A B\npersons | . C .")
    _, history = ask(truth)
    history = History(tuple(type(r)(r.table, unsafe, ONE_MARK) for r in history.released))
    parts = table("region\\sex | M F\nA | 1 2\nB | 9 11", name="parts")
    second, _ = ask(parts, after=history)
    assert at(second.tables[0], region="A") == at(second.tables[0], region="A", sex="M") == "C"
    assert second.known_before[0].any()
    assert not second.fallback


def test_the_same_request_gives_the_same_bytes() -> None:
    truth = table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8\nX | 10 11 12")
    one, other = (protect([truth], Rules()) for _ in range(2))
    assert draw(one.tables[0]) == draw(other.tables[0])
    assert [w.values.tolist() for w in one.verdict.witnesses] == [w.values.tolist() for w in other.verdict.witnesses]
