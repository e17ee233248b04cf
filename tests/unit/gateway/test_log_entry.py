"""What may stand in the audit log."""

import pytest

from enclave.errors import EnclaveBug
from enclave.gateway.log_entry import ALLOWED_DETAILS, Details, LogAction, LogDraft


def test_every_action_has_its_list() -> None:
    assert set(ALLOWED_DETAILS) == set(LogAction)


def test_foreseen_details_pass() -> None:
    details: Details = {"account": "kim", "turn": 1, "state": "reviewed", "decision": "approve", "binding": "0" * 64}
    assert LogDraft("kim", LogAction.VOTED, "r1", details).details == details


@pytest.mark.parametrize(
    "details",
    [
        {"count": 3},
        {"comment": "the cell of 3 is fine"},
        {"turn": "3"},
        {"turn": True},
        {"state": "3"},
        {"state": "only 3 left"},
        {"binding": "3"},
        {"decision": 3},
        {"binding": ("0" * 64, "3")},
        {"account": "Kim Kim"},
        {"release": "r"},
    ],
)
def test_what_was_not_foreseen_is_not_written(details: Details) -> None:
    with pytest.raises(EnclaveBug, match="LOG_DETAIL"):
        LogDraft("kim", LogAction.VOTED, "r1", details)


@pytest.mark.parametrize(
    ("actor", "subject"), [("kim kim", "r1"), ("", "r1"), ("kim", "a\nb"), ("kim", ""), ("kim", "é")]
)
def test_actor_and_subject_are_ids(actor: str, subject: str) -> None:
    with pytest.raises(EnclaveBug, match="LOG_DETAIL"):
        LogDraft(actor, LogAction.LOG_READ, subject)
