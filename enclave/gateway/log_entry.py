"""What may stand in the audit log: for each action the details it may carry, and for each detail its form.

The log proves that things happened; it must not tell what the data say. So details are ids, digests and code words
only: no counts, no values of cells, no free text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from enclave.errors import EnclaveBug

SYSTEM = "system"
"""The actor of what the house does by itself."""

PARTS = ("hub", "launcher", "front", "door", "supervisor")
"""The actors of what parts of the workbench say of themselves; no person can have such an id."""


class LogAction(StrEnum):
    """What happened."""

    CREATED = "request_created"
    SUBMITTED = "request_submitted"
    WITHDRAWN = "request_withdrawn"
    VOTED = "voted"
    RETURNED = "request_returned"
    APPROVED = "request_approved"
    REJECTED = "request_rejected"
    EXPIRED = "request_expired"
    SENT_BACK = "request_sent_back"
    RELEASED = "request_released"
    PUBLISHED = "release_published"
    DOWNLOADED = "release_downloaded"
    REVOKED = "release_revoked"
    REFUSED = "refused"
    PERSON_ENROLLED = "person_enrolled"
    KEY_CREATED = "key_created"
    KEY_USED = "key_used"
    KEY_DESTROYED = "key_destroyed"
    VAULT_UNLOCKED = "vault_unlocked"
    VAULT_LOCKED = "vault_locked"
    UNLOCK_REFUSED = "unlock_refused"
    POLICY_LOADED = "policy_loaded"
    DELIVERY_TAKEN = "delivery_taken"
    DELIVERY_REFUSED = "delivery_refused"
    DATA_PREPARED = "data_prepared"
    LOG_READ = "log_read"
    FILE_BROUGHT_IN = "file_brought_in"
    FILE_TAKEN_AWAY = "file_taken_away"
    MEMBERS_CHANGED = "project_members_changed"
    PROJECT_FILE_REFUSED = "project_file_refused"
    LOGGED_IN = "logged_in"
    LOG_IN_REFUSED = "log_in_refused"
    LOGGED_OUT = "logged_out"
    SERVER_STARTED = "server_started"
    SERVER_ENDED = "server_ended"
    SERVER_REFUSED = "server_refused"
    KERNEL_REFUSED = "kernel_refused"
    CONNECTION_REFUSED = "connection_refused"
    WORKBENCH_STARTED = "workbench_started"
    WORKBENCH_STOPPED = "workbench_stopped"
    WORKBENCH_REFUSED = "workbench_refused"
    PART_ENDED = "part_ended"
    HUB_CALL_REFUSED = "hub_call_refused"
    NOTICE_REFUSED = "notice_refused"
    RETENTION_SET = "retention_set"
    RETENTION_EXTENDED = "retention_extended"
    DESTRUCTION_APPROVED = "destruction_approved"
    DESTRUCTION_BEGUN = "destruction_begun"
    DESTRUCTION_STEP = "destruction_step"
    DESTROYED = "project_destroyed"


_STEP = frozenset({"account", "turn", "state"})
_NOTED = frozenset({"notice", "noted_at"})

ALLOWED_DETAILS: Mapping[LogAction, frozenset[str]] = MappingProxyType(
    {
        LogAction.CREATED: _STEP | {"project", "stage", "author", "binding"},
        LogAction.SUBMITTED: _STEP | {"binding"},
        LogAction.WITHDRAWN: _STEP,
        LogAction.VOTED: _STEP | {"decision", "binding", "history_seen"},
        LogAction.RETURNED: _STEP,
        LogAction.APPROVED: _STEP | {"binding"},
        LogAction.REJECTED: _STEP,
        LogAction.EXPIRED: _STEP,
        LogAction.SENT_BACK: _STEP | {"reason", "binding", "history_attacked"},
        LogAction.RELEASED: _STEP
        | {"release", "binding", "approved_by", "history_seen", "history_attacked", "history_head", "manifest"},
        LogAction.PUBLISHED: frozenset({"request", "manifest"}),
        LogAction.DOWNLOADED: frozenset({"account", "request", "manifest"}),
        LogAction.REVOKED: _STEP,
        LogAction.REFUSED: frozenset({"account", "operation", "code"}),
        LogAction.PERSON_ENROLLED: frozenset({"accounts", "roles", "projects", "conflicts", "trained_until"}),
        LogAction.KEY_CREATED: frozenset({"project", "operation", "protection"}),
        LogAction.KEY_USED: frozenset({"project", "operation"}),
        LogAction.KEY_DESTROYED: frozenset({"project", "operation"}),
        LogAction.VAULT_UNLOCKED: frozenset({"account", "protection"}),
        LogAction.VAULT_LOCKED: frozenset({"account"}),
        LogAction.UNLOCK_REFUSED: frozenset({"account", "code"}),
        LogAction.POLICY_LOADED: frozenset({"policy"}),
        LogAction.DELIVERY_TAKEN: frozenset({"delivery", "account"}),
        LogAction.DELIVERY_REFUSED: frozenset({"delivery", "code", "account"}),
        LogAction.DATA_PREPARED: frozenset({"project", "policy", "snapshot"}),
        LogAction.LOG_READ: frozenset({"account"}),
        LogAction.FILE_BROUGHT_IN: frozenset({"account", "project", "file"}),
        LogAction.FILE_TAKEN_AWAY: frozenset({"account", "project", "file"}),
        LogAction.MEMBERS_CHANGED: frozenset({"added", "withdrawn", "file"}),
        LogAction.PROJECT_FILE_REFUSED: frozenset({"code", "file"}),
        LogAction.LOGGED_IN: _NOTED | {"account", "accepted"},
        LogAction.LOG_IN_REFUSED: _NOTED | {"account", "code"},
        LogAction.LOGGED_OUT: _NOTED | {"account"},
        LogAction.SERVER_STARTED: _NOTED | {"account", "project"},
        LogAction.SERVER_ENDED: _NOTED | {"account", "project", "code"},
        LogAction.SERVER_REFUSED: _NOTED | {"account", "project", "code"},
        LogAction.KERNEL_REFUSED: _NOTED | {"account", "project", "code"},
        LogAction.CONNECTION_REFUSED: _NOTED | {"addresses", "code"},
        LogAction.WORKBENCH_STARTED: _NOTED,
        LogAction.WORKBENCH_STOPPED: _NOTED,
        LogAction.WORKBENCH_REFUSED: _NOTED | {"code"},
        LogAction.PART_ENDED: _NOTED | {"part", "code"},
        LogAction.HUB_CALL_REFUSED: _NOTED | {"account", "project", "code"},
        LogAction.NOTICE_REFUSED: frozenset({"part", "code"}),
        LogAction.RETENTION_SET: frozenset({"until", "policy"}),
        LogAction.DESTRUCTION_APPROVED: frozenset({"account"}),
        LogAction.DESTRUCTION_BEGUN: frozenset({"approved_by", "datasets", "deliveries"}),
        LogAction.DESTRUCTION_STEP: frozenset({"operation", "old_key"}),
        LogAction.DESTROYED: frozenset({"certificate"}),
        LogAction.RETENTION_EXTENDED: frozenset({"account", "until", "dated", "authority", "ruling"}),
    }
)

NOTICE_ID = r"[0-9]{20}-[0-9a-f]{16}"
"""The form of a notice's name: a moment and chance."""

_NAME = r"[a-z0-9][a-z0-9._-]{0,99}"
_DIGEST = r"[0-9a-f]{64}"
_WORD = r"[a-z][a-z_ ]{0,39}"
_FORMS = {
    **dict.fromkeys(
        (
            "account",
            "project",
            "author",
            "release",
            "request",
            "accounts",
            "projects",
            "conflicts",
            "approved_by",
            "added",
            "withdrawn",
            "authority",
        ),
        _NAME,
    ),
    **dict.fromkeys(
        (
            *("binding", "history_seen", "history_attacked", "history_head", "manifest"),
            *("policy", "snapshot", "delivery", "file", "accepted", "certificate", "old_key"),
        ),
        _DIGEST,
    ),
    **dict.fromkeys(
        ("state", "stage", "decision", "reason", "operation", "roles", "protection", "part", "deliveries"), _WORD
    ),
    "datasets": r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}",
    "code": r"[A-Z][A-Z0-9_]{0,39}",
    **dict.fromkeys(("trained_until", "until", "dated"), r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "ruling": r"[A-Za-z0-9][A-Za-z0-9/._-]{0,39}",
    "notice": NOTICE_ID,
    "noted_at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z",
    "addresses": r"[0-9a-f.:]{2,45}",
}
_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")

Details = Mapping[str, str | int | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LogDraft:
    """An entry before the log gives it a number, a time and its place in the chain.

    `actor` is a person's id or SYSTEM; `subject` what it happened to. Raises EnclaveBug LOG_DETAIL when a detail is not
    on the list of its action or not of its form: what was not foreseen is not written.
    """

    actor: str
    action: LogAction
    subject: str
    details: Details = field(default_factory=dict)

    def __post_init__(self) -> None:
        if re.fullmatch(_NAME, self.actor) is None or _SUBJECT.fullmatch(self.subject) is None:
            raise EnclaveBug("LOG_DETAIL", f"actor and subject of '{self.action}' must be ids")
        for key, value in self.details.items():
            if key not in ALLOWED_DETAILS[self.action] or not _has_form(key, value):
                raise EnclaveBug(
                    "LOG_DETAIL", f"'{key}' of '{self.action}' may not be written to the audit log like this"
                )


def is_ruling(text: str) -> bool:
    """Say whether this can be the number of a decision, such as 18/042."""
    return re.fullmatch(_FORMS["ruling"], text) is not None


def _has_form(key: str, value: str | int | tuple[str, ...]) -> bool:
    if key == "turn":
        return type(value) is int
    if isinstance(value, tuple):
        return all(_has_form(key, part) for part in value)
    return isinstance(value, str) and re.fullmatch(_FORMS[key], value) is not None
