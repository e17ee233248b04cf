"""What shows that nothing was changed: releases, certificates, the log, the whole house."""

from pathlib import Path

from enclave.errors import IntegrityError
from enclave.gateway import permissions
from enclave.gateway.log_entry import LogAction
from enclave.ledger.audit_log import read_anchor
from enclave.ledger.fsck import fsck
from enclave.ledger.verify_certificate import examine, summary
from enclave.ledger.verify_release import verify as verify_folder
from enclave.wiring.house import House


def verify(folder: Path, key: Path) -> None:
    """Verify a release; IntegrityError with every problem."""
    problems = verify_folder(folder, key.read_bytes())
    if problems:
        raise IntegrityError("RELEASE_INVALID", f"{folder.name}: {'; '.join(problems)}")


def verify_certificate(path: Path, key: Path) -> str:
    """Verify a certificate of destruction, and say what it says; IntegrityError with the problem."""
    problems, certificate = examine(path.read_bytes(), key.read_bytes())
    if problems:
        raise IntegrityError("CERTIFICATE_INVALID", f"{path.name}: {'; '.join(problems)}")
    return summary(certificate)


def verify_log(house: House, anchor: Path | None) -> None:
    """Verify the audit log; IntegrityError with every problem."""
    problems = house.book.verify_log(read_anchor(anchor) if anchor else None)
    if problems:
        raise IntegrityError("LOG_INVALID", "; ".join(problems))


def dump_log(house: House, account: str, out: Path) -> str:
    """Write the log for an auditor."""
    person = house.allow(account, "read_log", permissions.check_read_log)
    house.log(person.id, LogAction.LOG_READ, "log", account=account)
    house.book.dump_log(out)
    return str(out)


def check_everything(house: House) -> None:
    """Check outbox, log, state, certificates and every byte of the vault; IntegrityError with every problem."""
    key = house.settings.release_public_key.read_bytes()
    anchor = read_anchor(house.settings.anchor) if house.settings.anchor.exists() else None
    problems = [*fsck(house.book, house.settings.outboxes, key, anchor), *house.destroyer.problems(key)]
    if problems:
        raise IntegrityError("HOUSE_INCONSISTENT", "; ".join(problems))
    for project in house.vault.projects():
        house.vault.check(project)
