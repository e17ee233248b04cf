"""Shares as holders keep and type them: damaged, doubled, mixed and missing ones are refused with a sentence."""

import itertools
import secrets

import pytest

from enclave.errors import SetupError
from enclave.vault.master import Key
from enclave.vault.shares import Share, join_shares, make_shares

SECRET = Key(bytes(range(32)))
SHARES = make_shares(SECRET, "a1b2c3d4e5f60718", 2, 3, secrets.token_bytes)


@pytest.mark.parametrize("chosen", list(itertools.permutations(SHARES, 2)))
def test_any_enough_shares_give_the_secret_in_any_order(chosen: tuple[Share, ...]) -> None:
    assert join_shares([share.text for share in chosen], "a1b2c3d4e5f60718", 2).secret == SECRET.secret


def test_all_shares_together_do_too() -> None:
    assert join_shares([share.text for share in SHARES], "a1b2c3d4e5f60718", 2).secret == SECRET.secret


def test_a_share_is_read_as_it_was_typed() -> None:
    text = SHARES[0].text
    assert len(text) < 120
    for typed in (
        text,
        f"  {text}\n",
        text.upper(),
        text.replace("-", " ").replace("enclave share 1", "enclave-share-1"),
    ):
        assert Share.from_text(typed) == SHARES[0]


def test_every_wrong_character_is_noticed() -> None:
    text = SHARES[0].text
    for place, right in enumerate(text):
        for wrong in "a2q7 3-":
            if wrong == right or {wrong, right} <= {"-", " "}:
                continue
            changed = text[:place] + wrong + text[place + 1 :]
            with pytest.raises(SetupError, match=r"SHARE_(DAMAGED|OTHER_HOUSE)"):
                join_shares([changed, SHARES[1].text], "a1b2c3d4e5f60718", 2)


@pytest.mark.parametrize(
    "text", ["", "enclave-share-1", "x" * 100, "enclave-share-1 h 2 1 é", "enclave-share-1 h 0 0 aa"]
)
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="SHARE_DAMAGED"):
        Share.from_text(text)


def test_the_same_share_twice_is_one() -> None:
    with pytest.raises(SetupError, match="SHARE_TWICE"):
        join_shares([SHARES[0].text, SHARES[0].text], "a1b2c3d4e5f60718", 2)


def test_too_few_are_refused() -> None:
    with pytest.raises(SetupError, match=r"SHARES_TOO_FEW.*2 shares"):
        join_shares([SHARES[0].text], "a1b2c3d4e5f60718", 2)


def test_shares_of_two_houses_are_not_mixed() -> None:
    other = make_shares(SECRET, "0000000000000000", 2, 3, secrets.token_bytes)
    with pytest.raises(SetupError, match="SHARE_OTHER_HOUSE"):
        join_shares([SHARES[0].text, other[1].text], "a1b2c3d4e5f60718", 2)


def test_a_share_that_asks_for_fewer_is_refused() -> None:
    share = Share(SHARES[0].house, 1, SHARES[0].number, SHARES[0].piece)
    with pytest.raises(SetupError, match="SHARE_OTHER_HOUSE"):
        join_shares([share.text], "a1b2c3d4e5f60718", 2)


def test_no_share_shows_its_piece() -> None:
    assert SHARES[0].piece.hex() not in repr(SHARES[0])
    assert repr(SHARES[0].piece) not in repr(SHARES[0])
