"""The key ring: what it opens, for whom, and what happens to a destroyed project's keys."""

import secrets
from pathlib import Path

import pytest

from enclave.errors import IntegrityError, RequestError
from enclave.vault.keys import KeyStore, KeyUse, unwrap, wrap
from enclave.vault.master import Key
from enclave.vault.master_file import MasterKeyFile
from tests.lib.vault_kit import created_master, unlocked_master

Events = list[tuple[str, str, str]]


def _store(base: Path, events: Events | None = None) -> KeyStore:
    heard: Events = [] if events is None else events
    return KeyStore(base, _master(base), secrets.token_bytes, lambda *event: heard.append(event))


def _master(base: Path) -> MasterKeyFile:
    return unlocked_master(base / "master")


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    created_master(tmp_path / "master")
    made = _store(tmp_path)
    made.create()
    return made


def _add(store: KeyStore, project: str, dataset: str) -> Key:
    key, ring = store.draft(project, dataset)
    store.save(ring)
    return key


def _secret(store: KeyStore, project: str, dataset: str) -> bytes:
    key = store.unlock(project, dataset)
    assert key is not None
    return key.secret


def test_a_wrapped_key_opens_for_its_own_use_only() -> None:
    outer, inner = Key(b"o" * 32), Key(b"i" * 32)
    wrapped = wrap(outer, inner, ("data key", "a", "persons"), secrets.token_bytes)
    assert unwrap(outer, wrapped, ("data key", "a", "persons")).secret == inner.secret
    for key, context in [
        (outer, ("data key", "b", "persons")),
        (outer, ("data key", "a", "jobs")),
        (outer, ("project key", "a", "persons")),
        (Key(b"x" * 32), ("data key", "a", "persons")),
    ]:
        with pytest.raises(IntegrityError, match="WRAPPED_KEY"):
            unwrap(key, wrapped, context)


def test_each_data_set_has_its_own_key(store: KeyStore, tmp_path: Path) -> None:
    keys = {(p, d): _add(store, p, d).secret for p in "ab" for d in ("persons", "jobs")}
    assert len(set(keys.values())) == 4
    assert all(_secret(_store(tmp_path), p, d) == secret for (p, d), secret in keys.items())


def test_what_is_not_there_is_none(store: KeyStore) -> None:
    _add(store, "a", "persons")
    assert store.unlock("a", "jobs") is None
    assert store.unlock("b", "persons") is None


def test_a_draft_is_nothing_until_it_is_saved(store: KeyStore) -> None:
    store.draft("a", "persons")
    assert store.unlock("a", "persons") is None


def test_no_key_lies_on_disk_in_the_open(store: KeyStore) -> None:
    secret = _add(store, "a", "persons").secret
    assert secret not in store.path.read_bytes()
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_another_master_key_opens_nothing(store: KeyStore, tmp_path: Path) -> None:
    _add(store, "a", "persons")
    (tmp_path / "master").unlink()
    created_master(tmp_path / "master")
    with pytest.raises(IntegrityError, match="KEY_RING"):
        store.unlock("a", "persons")


def test_destroying_a_project_leaves_the_others(store: KeyStore, tmp_path: Path) -> None:
    _add(store, "a", "persons")
    kept = _add(store, "b", "persons").secret
    (before,) = _master(tmp_path).candidates()
    store.destroy("a")
    (after,) = _master(tmp_path).candidates()
    assert before.secret != after.secret
    assert _secret(store, "b", "persons") == kept
    with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
        store.unlock("a", "persons")
    with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
        store.draft("a", "persons")
    with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
        store.destroy("a")


def test_an_old_ring_opens_nothing_after_a_destruction(store: KeyStore) -> None:
    _add(store, "a", "persons")
    _add(store, "b", "persons")
    old = store.path.read_bytes()
    store.destroy("a")
    store.path.write_bytes(old)
    with pytest.raises(IntegrityError, match="KEY_RING"):
        store.unlock("a", "persons")


def test_an_unknown_project_cannot_be_destroyed(store: KeyStore, tmp_path: Path) -> None:
    (before,) = _master(tmp_path).candidates()
    with pytest.raises(RequestError, match="UNKNOWN_PROJECT"):
        store.destroy("a")
    assert _master(tmp_path).candidates()[0].secret == before.secret


def test_uses_are_told_once_in_a_session(store: KeyStore, tmp_path: Path) -> None:
    events: Events = []
    listening = _store(tmp_path, events)
    _add(listening, "a", "persons")
    for _ in range(3):
        listening.unlock("a", "persons")
    listening.unlock("a", "persons", KeyUse.HANDED_OUT)
    listening.unlock("a", "persons", KeyUse.HANDED_OUT)
    listening.destroy("a")
    assert [event for event, *_ in events] == [
        KeyUse.CREATED,
        KeyUse.UNLOCKED,
        KeyUse.HANDED_OUT,
        KeyUse.HANDED_OUT,
        KeyUse.MASTER_REPLACED,
    ]


def test_a_use_that_cannot_be_told_does_not_happen(store: KeyStore, tmp_path: Path) -> None:
    _add(store, "a", "persons")

    def refuse(_event: str, _project: str, _dataset: str) -> None:
        raise IntegrityError("LOG", "the log is broken")

    silent = KeyStore(tmp_path, _master(tmp_path), secrets.token_bytes, refuse)
    for _ in range(2):
        with pytest.raises(IntegrityError, match="LOG"):
            silent.unlock("a", "persons")
    with pytest.raises(IntegrityError, match="LOG"):
        silent.draft("a", "jobs")


def test_the_key_of_a_home_is_always_the_same_and_another_for_each_person_and_project(
    store: KeyStore, tmp_path: Path
) -> None:
    for project in ("a", "b"):
        store.save(store.draft_project(project))
    homes = {(p, who): _home(store, p, who) for p in ("a", "b") for who in ("ann", "bob", 'ann", "b')}
    assert len(set(homes.values())) == 6
    assert all(_home(_store(tmp_path), p, who) == secret for (p, who), secret in homes.items())


def test_the_key_of_a_home_is_told_before_it_is_handed_out_and_stands_nowhere(tmp_path: Path, store: KeyStore) -> None:
    events: Events = []
    heard = _store(tmp_path, events)
    heard.save(heard.draft_project("a"))
    secret = _home(heard, "a", "ann")
    assert events == [(KeyUse.PROJECT_CREATED, "a", ""), (KeyUse.HOME, "a", "ann")]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_a_project_keeps_its_key_when_data_come_later_and_when_it_is_drafted_again(store: KeyStore) -> None:
    assert store.home("a", "ann") is None
    store.save(store.draft_project("a"))
    before = _home(store, "a", "ann")
    _add(store, "a", "persons")
    store.save(store.draft_project("a"))
    assert _home(store, "a", "ann") == before
    assert store.unlock("a", "persons") is not None


def test_the_keys_of_homes_are_gone_with_those_of_their_project(store: KeyStore) -> None:
    for project in ("a", "b"):
        store.save(store.draft_project(project))
    kept = _home(store, "b", "ann")
    store.destroy("a")
    for asked in (lambda: store.home("a", "ann"), lambda: store.draft_project("a")):
        with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
            asked()
    assert _home(store, "b", "ann") == kept


def _home(store: KeyStore, project: str, account: str) -> bytes:
    key = store.home(project, account)
    assert key is not None
    return key.secret
