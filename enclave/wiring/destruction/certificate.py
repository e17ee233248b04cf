"""The certificate of a destruction: what, when, by whom, under which paragraph and policy, signed by the house."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from enclave.gateway.canonical import utc_text
from enclave.gateway.destruction import Destruction
from enclave.gateway.retention import Term
from enclave.ledger.audit_log import SignedHead
from enclave.ledger.signing import SigningKey
from enclave.ledger.verify_certificate import FORMAT, canonical, to_sign
from enclave.policy.load import AnyPolicy
from enclave.vault import files
from enclave.wiring.settings import Settings

_STATEMENT = (
    "The key of this project and the master key above it were destroyed, and the other projects' keys were put under a "
    "new master key, which opens with a new key of the key holder. Then the files were removed. What is named under "
    "'stays' holds no personal data. Copies of the house from before, the key ring included, open only with the old "
    "key of the key holder, who is to destroy every copy of it."
)


def certificate_path(settings: Settings, project: str) -> Path:
    """Return where the certificate of a project stands."""
    return settings.root / "certificates" / f"{project}.json"


def certified(
    settings: Settings,
    destruction: Destruction,
    policy: AnyPolicy,
    term: Term,
    *,
    completed: datetime,
    destroyed: Sequence[str],
    stays: Sequence[str],
    generation: int,
    head: SignedHead,
) -> dict[str, Any]:
    """Return what is certified."""
    assert destruction.begun is not None
    numbers = policy.numbers
    return {
        "format": FORMAT,
        "house": settings.house,
        "synthetic": settings.synthetic,
        "project": destruction.project,
        "policy": {
            "id": policy.id,
            "sha256": policy.sha256,
            "dossier": numbers.dossier,
            "decision": numbers.decision,
        },
        "paragraph": policy.retention.paragraph,
        "retention": {
            "until": term.until.isoformat(),
            "extensions": [
                {"decision": one.ruling, "dated": one.dated.isoformat(), "by": one.authority} for one in term.extensions
            ],
        },
        "decided": list(destruction.approved_by),
        "begun": utc_text(destruction.begun),
        "completed": utc_text(completed),
        "destroyed": list(destroyed),
        "stays": list(stays),
        "master_key": {"generation": generation},
        "log_head": json.loads(head.to_bytes()),
        "statement": _STATEMENT,
    }


def keep(path: Path, certificate: dict[str, Any], key: SigningKey) -> bytes:
    """Sign a certificate and put it at `path`, in place of one that an interruption left; return its bytes."""
    data = canonical({"certificate": certificate, "signature": key.sign(to_sign(certificate)).hex()}) + b"\n"
    files.make_folder(path.parent)
    files.write_atomically(path, [data])
    return data
