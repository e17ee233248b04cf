"""What `enclave destroy` does: the plan, one person's decision, and with the second one's the destruction itself."""

import secrets
from collections.abc import Iterator
from pathlib import Path

from enclave.errors import EnclaveError, SetupError
from enclave.gateway import permissions
from enclave.gateway.destruction import NEEDED
from enclave.vault import files
from enclave.vault.master_file import Renewal
from enclave.vault.protection import SALT_BYTES, ByKeyFile, Opener
from enclave.wiring.house import House, open_house
from enclave.wiring.keys.key_holder import Given, Protect, key_file
from enclave.wiring.settings import Settings

_OTHER = frozenset({"UNLOCK_REFUSED", "OTHER_KEY", "UNLOCK_OTHERWISE"})


def dry_run(house: House, account: str, project: str) -> Iterator[str]:
    """Tell what would go and what would stay, for who may decide it; nothing is changed."""
    house.allow(account, "destroy", lambda one: permissions.check_destroy(one, project, ()))
    plan = house.destroyer.plan(project)
    yield f"{project} would be destroyed; nothing was changed"
    yield from (f"  goes: {line}" for line in plan.goes())
    yield from (f"  stays: {line}" for line in plan.stays())


def decide(house: House, account: str, project: str) -> bool:
    """Record the caller's decision where it is still needed; return whether two persons have decided."""
    destruction, by = house.retention.destruction(project), house.destroyer.decided_by(project)
    settled = destruction.begun is not None or len(by) >= NEEDED
    others = () if settled else tuple(house.register.person(one) for one in by)
    person = house.allow(account, "destroy", lambda one: permissions.check_destroy(one, project, others))
    if not settled:
        house.destroyer.decide(project, person, account)
    return settled or len(house.destroyer.decided_by(project)) >= NEEDED


def carry_out(root: Path, given: Given, new_key_file: Path | None, renew: Protect | None, project: str) -> Path:
    """Begin or finish a destruction that two persons decided; return the certificate.

    The vault is opened by what was given, or by the new key file where an earlier run already put it in force.
    """
    settings = Settings.read(root)
    with open_house(root) as house:
        old = _unlock(house, given, new_key_file, settings)
        house.destroyer.begin(project)
        new = None
        if house.destroyer.needs_new_key(project):
            new = _renewal(settings, new_key_file, renew)
            if old is not None and set(new[1].texts) & set(old.texts):
                raise SetupError("SAME_KEY", "the new key is the old one, which opens old copies; bring another one")
            if old is not None and given.key_file is not None:
                house.destroyer.note_old_key(project, old.texts[0])
        return house.destroyer.carry_out(project, new, keys_gone=lambda: _wipe(house, project, given.key_file))


def _unlock(house: House, given: Given, new_key_file: Path | None, settings: Settings) -> Opener | None:
    """Unlock by what was given, and return it; else by the new key file, and return None."""
    refusal: EnclaveError
    try:
        opener = given.needed_opener(settings.root)
        house.unlock(opener)
    except EnclaveError as error:
        if error.code not in _OTHER | {"MEDIUM_MISSING"}:
            raise
        refusal = error
    else:
        return opener
    if new_key_file is None or not new_key_file.exists():
        raise refusal
    house.unlock(key_file(new_key_file, settings))
    return None


def _renewal(settings: Settings, new_key_file: Path | None, renew: Protect | None) -> Renewal:
    """Return the new protection; a key file that an interrupted run left is taken again."""
    if new_key_file is not None and new_key_file.exists():
        return ByKeyFile(secrets.token_bytes(SALT_BYTES)), key_file(new_key_file, settings)
    if renew is None:
        raise SetupError(
            "NEW_KEY",
            "a destruction needs a new key of the key holder, since the old one opens old copies: give --new-key-file, "
            "--new-shares with --new-shares-to, or --new-passphrase-fd",
        )
    return renew(settings)


def _wipe(house: House, project: str, old: Path | None) -> None:
    """Destroy the old key file, if it is the one that was in force before; also what a kill left of it."""
    if old is None:
        return
    dying = old.with_name(files.HALF + old.name)
    if old.exists() and house.destroyer.was_old_key(project, key_file(old, house.settings).texts[0]):
        files.rename(old, dying)
    if dying.exists():
        files.overwrite(dying)
        files.remove(dying)
