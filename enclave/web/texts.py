"""Words of the pages for what the program knows by code: states, actions, decisions, errors."""

from collections.abc import Mapping

from enclave.gateway.log_entry import SYSTEM, LogAction
from enclave.gateway.permissions import Role
from enclave.gateway.request import RequestState, Stage
from enclave.gateway.review import Decision
from enclave.web.language import N_

STATES: Mapping[str, str] = {
    RequestState.PENDING: N_("being prepared"),
    RequestState.SUBMITTED: N_("handed in"),
    RequestState.PARTIALLY_REVIEWED: N_("one vote cast"),
    RequestState.REVIEWED: N_("two votes that differ"),
    RequestState.RETURNED: N_("returned to the author"),
    RequestState.APPROVED: N_("approved"),
    RequestState.RELEASED: N_("released"),
    RequestState.PARTLY_RELEASED: N_("released in part"),
    RequestState.REJECTED: N_("rejected"),
    RequestState.WITHDRAWN: N_("withdrawn"),
    RequestState.EXPIRED: N_("expired"),
    RequestState.REVOKED: N_("revoked"),
}

SIGNS: Mapping[str, str] = {
    RequestState.PENDING: "○",
    RequestState.SUBMITTED: "◔",
    RequestState.PARTIALLY_REVIEWED: "◑",
    RequestState.REVIEWED: "◕",
    RequestState.RETURNED: "↩",
    RequestState.APPROVED: "✓",
    RequestState.RELEASED: "●",
    RequestState.PARTLY_RELEASED: "◐",
    RequestState.REJECTED: "✕",
    RequestState.WITHDRAWN: "□",
    RequestState.EXPIRED: "□",
    RequestState.REVOKED: "✕",
}
"""A sign beside each state, so that colour never stands alone."""

STAGES: Mapping[str, str] = {
    Stage.INSIDE: N_("stage 1, inside the building"),
    Stage.OUTSIDE: N_("stage 2, for outside"),
}

DECISIONS: Mapping[str, str] = {
    Decision.APPROVE: N_("approve"),
    Decision.CHANGES: N_("ask for changes"),
    Decision.REJECT: N_("reject"),
}

ROLES: Mapping[str, str] = {
    Role.ANALYST: N_("analyst"),
    Role.CBSS_STAFF: N_("CBSS staff"),
    Role.OUTPUT_CHECKER: N_("output checker"),
    Role.STEWARD: N_("steward"),
    Role.AUDITOR: N_("auditor"),
    Role.OPERATOR: N_("operator"),
}

STEPS: Mapping[str, str] = {
    LogAction.CREATED: N_("request made"),
    LogAction.SUBMITTED: N_("handed in for checking"),
    LogAction.WITHDRAWN: N_("withdrawn by the author"),
    LogAction.VOTED: N_("vote cast"),
    LogAction.RETURNED: N_("returned to the author"),
    LogAction.APPROVED: N_("approved by two checkers"),
    LogAction.REJECTED: N_("rejected by two checkers"),
    LogAction.EXPIRED: N_("expired"),
    LogAction.SENT_BACK: N_("sent back to the checkers with a new pattern"),
    LogAction.RELEASED: N_("release decided and signed"),
    LogAction.PUBLISHED: N_("release published"),
    LogAction.DOWNLOADED: N_("release downloaded"),
    LogAction.REVOKED: N_("release revoked"),
    LogAction.REFUSED: N_("refused"),
    LogAction.PERSON_ENROLLED: N_("person enrolled"),
    LogAction.KEY_CREATED: N_("key created"),
    LogAction.KEY_USED: N_("key used"),
    LogAction.KEY_DESTROYED: N_("key destroyed"),
    LogAction.POLICY_LOADED: N_("policy loaded"),
    LogAction.DELIVERY_TAKEN: N_("delivery taken in"),
    LogAction.DELIVERY_REFUSED: N_("delivery refused"),
    LogAction.DATA_PREPARED: N_("data prepared"),
    LogAction.LOG_READ: N_("audit log read"),
    LogAction.FILE_BROUGHT_IN: N_("own file brought to a project"),
    LogAction.FILE_TAKEN_AWAY: N_("own file of a project taken away"),
    LogAction.MEMBERS_CHANGED: N_("members of a project changed by its file"),
    LogAction.PROJECT_FILE_REFUSED: N_("project file refused"),
    LogAction.LOGGED_IN: N_("logged in"),
    LogAction.LOG_IN_REFUSED: N_("log-in refused"),
    LogAction.LOGGED_OUT: N_("logged out"),
    LogAction.SERVER_STARTED: N_("notebook server started"),
    LogAction.SERVER_ENDED: N_("notebook server ended"),
    LogAction.SERVER_REFUSED: N_("notebook server refused"),
    LogAction.KERNEL_REFUSED: N_("order about a kernel refused"),
    LogAction.CONNECTION_REFUSED: N_("connection from outside the building refused"),
    LogAction.WORKBENCH_STARTED: N_("workbench started"),
    LogAction.WORKBENCH_STOPPED: N_("workbench stopped"),
    LogAction.WORKBENCH_REFUSED: N_("start of the workbench refused"),
    LogAction.PART_ENDED: N_("part of the workbench ended unasked"),
    LogAction.HUB_CALL_REFUSED: N_("call of a notebook server to the hub refused"),
    LogAction.NOTICE_REFUSED: N_("notice of a part refused"),
    LogAction.RETENTION_SET: N_("last day of a project taken from its policy"),
    LogAction.DESTRUCTION_APPROVED: N_("destruction of a project decided by one person"),
    LogAction.DESTRUCTION_BEGUN: N_("destruction of a project begun"),
    LogAction.DESTRUCTION_STEP: N_("step of a destruction done"),
    LogAction.DESTROYED: N_("project destroyed and certified"),
    LogAction.RETENTION_EXTENDED: N_("last day of a project moved by a decision"),
    "vault_unlocked": N_("vault unlocked"),
    "vault_locked": N_("vault locked"),
    "unlock_refused": N_("unlocking refused"),
}

ACTORS: Mapping[str, str] = {
    SYSTEM: N_("the house itself"),
    "hub": N_("the hub"),
    "launcher": N_("the launcher"),
    "front": N_("the front"),
    "supervisor": N_("the supervisor"),
}
"""Who acts in the audit log besides persons."""

REFUSALS: Mapping[str, str] = {
    "SAME_PERSON": N_("You are the author of this request; two other persons must check it."),
    "CHECKER_ON_PROJECT": N_("You are a member of this project; others must check it."),
    "CONFLICT_DECLARED": N_("You declared a conflict of interest with this project; others must check it."),
    "VOTED_ALREADY": N_("You have already voted on this request in this turn; one person has one vote."),
    "TRAINING_EXPIRED": N_("Your training in output checking is not valid; renew it first."),
    "NOT_OUTPUT_CHECKER": N_("This is for output checkers and others whose office it is."),
    "NOT_AUDITOR": N_("The audit log is for auditors: to others it would show votes before both are cast."),
    "NOT_OPERATOR": N_("Only an operator or a steward does this."),
    "NOT_STEWARD": N_("Only a steward does this."),
    "NOT_CBSS_STAFF": N_("Only CBSS staff of the project do this."),
    "NOT_ANALYST": N_("Only analysts of the project do this."),
    "NOT_ON_PROJECT": N_("You are not a member of this project; ask a steward."),
    "NOT_AUTHOR": N_("Only the author of the request does this."),
    "STAYS_INSIDE": N_("This was released for use inside only; it does not leave the building."),
    "UNKNOWN_ACCOUNT": N_("Your account belongs to nobody here; ask a steward to enrol you."),
    "NO_ACCESS": N_("The hub gives your account no access to the gateway; ask an operator."),
    "COMMENT_NEEDED": N_("Say in a comment what has to change and why; the author reads it."),
    "NO_DECISION": N_("Choose one of the three decisions."),
    "BAD_TRANSITION": N_("The request is not in a state for this; somebody may have been quicker. Look at it again."),
    "UNKNOWN_REQUEST": N_("There is no request of this name; look it up in the list of requests."),
    "UNKNOWN_RELEASE": N_("There is no release of this name; look it up in the list of requests."),
    "UNKNOWN_PROJECT": N_("There is no project of this name; look at the list of your projects."),
    "UNKNOWN_PAGE": N_("There is nothing at this address."),
    "PURPOSE": N_("Say what it is for, in at most 2000 characters; the checkers read it."),
    "BAD_TEXT": N_("The text is too long, or holds a character that cannot be written."),
    "FORBIDDEN": N_("This was not sent from a page of yours, or the page was too old. Open it again and repeat."),
    "VAULT_LOCKED": N_("The vault is locked: projects are closed until the key holder unlocks it."),
    "RETENTION_PASSED": N_("The day is here until which the data of this project may be used; it is closed."),
    "PROJECT_DESTROYED": N_("The destruction of this project was decided by two persons; nothing of it is opened."),
    "RELEASE_BUSY": N_("Another release is being made; try again when it is done."),
    "HUB_UNAVAILABLE": N_("The hub does not say who you are just now; try again in a minute."),
}
"""Sentences for refusals that people meet on pages, by code."""

OTHERWISE: Mapping[int, str] = {
    400: N_("What was sent cannot be understood; go back, and check it."),
    403: N_("You may not do this."),
    404: N_("There is nothing at this address."),
    405: N_("This address does not do that."),
    409: N_("This does not fit how things stand now; look again."),
    423: N_("The vault is locked: projects are closed until the key holder unlocks it."),
    500: N_("Something broke off; nothing was done. Tell the operator of the house."),
    503: N_("A part of the workbench is starting again; try again in a minute."),
}
"""Sentences for all other errors, by status."""

HEADINGS: Mapping[int, str] = {
    400: N_("Not understood"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible"),
    409: N_("Not now"),
    423: N_("Closed"),
    500: N_("An error"),
    503: N_("One moment"),
}

SAID: Mapping[str, str] = {
    "voted": N_("Your vote was cast."),
    "return": N_("The request was returned to its author."),
    "submit": N_("The request was handed in for checking."),
    "withdraw": N_("The request was withdrawn."),
    "release": N_("The release was started."),
}
"""What a page says after a form was sent."""

ATTACKERS: Mapping[str, str] = {
    "outsider": N_("somebody who holds everything that was released"),
    "outsider, both stages": N_("somebody who holds everything that was released in both stages"),
}

RULES: Mapping[str, str] = {
    "minimum_frequency": N_("least count that may be shown"),
    "zeros": N_("zeros"),
    "mark": N_("marks for hidden cells"),
    "need": N_("what nobody may be able to show"),
    "weights": N_("what hiding a cell costs"),
    "output_checkers": N_("output checkers who must approve"),
    "derived": N_("result"),
}

RULE_VALUES: Mapping[str, str] = {
    "show": N_("shown"),
    "show_or_secondary": N_("shown, unless hidden to protect another cell"),
    "hide": N_("hidden like small counts"),
    "structural": N_("hidden, but for what cannot be otherwise"),
    "one": N_("one for all hidden cells"),
    "two": N_("two: small counts, and cells that protect them"),
    "threshold": N_("that a hidden cell is below the threshold"),
    "unit": N_("the same for each cell"),
    "count": N_("in proportion to its count"),
    "log_count": N_("in proportion to the logarithm of its count"),
    "sum": N_("sum"),
    "share": N_("share"),
    "change": N_("change"),
}
"""Words for values of rules and for operations; numbers stand for themselves."""

HOUSE_CHOICE = N_("choice of the house")
"""Where a policy says "house" in place of a paragraph."""
