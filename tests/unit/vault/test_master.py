"""Keys: that they show nowhere, and that a key for one purpose tells nothing about another."""

import pickle
import secrets

import pytest

from enclave.errors import EnclaveBug
from enclave.vault.master import Key, MasterKey


def test_no_key_shows_itself() -> None:
    for key in (Key(b"s" * 32), MasterKey(b"s" * 32, 1)):
        assert "ss" not in f"{key!r} {key} {[key]}"
        assert "hidden" in repr(key)


def test_a_master_key_cannot_be_pickled() -> None:
    with pytest.raises(EnclaveBug, match="KEY_TRAVELS"):
        pickle.dumps(MasterKey(b"s" * 32, 1))


def test_a_short_key_cannot_be() -> None:
    with pytest.raises(EnclaveBug, match="KEY_LENGTH"):
        Key(b"short")
    with pytest.raises(EnclaveBug, match="KEY_LENGTH"):
        MasterKey(b"short", 1)


def test_derived_keys_differ_by_purpose_and_salt() -> None:
    key = Key(b"s" * 32)
    derived = {key.derive(b"a"), key.derive(b"b"), key.derive(b"a", b"salt"), key.secret}
    assert len(derived) == 4
    assert key.derive(b"a") == Key(b"s" * 32).derive(b"a")


def test_a_successor_is_another_key_and_one_generation_later() -> None:
    first = MasterKey.create(secrets.token_bytes)
    second = first.successor(secrets.token_bytes)
    assert (first.generation, second.generation) == (1, 2)
    assert first.secret != second.secret
