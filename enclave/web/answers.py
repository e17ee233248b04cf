"""How every answer looks: security headers on all, and one shape of errors, as JSON for programs and as a page."""

import json
import sys
from types import TracebackType
from typing import Any, TypeAlias

from tornado.web import HTTPError, RequestHandler

from enclave.errors import EnclaveError, PermissionDenied, SetupError, UserError

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "Server": "gateway",
}

UNKNOWN = frozenset({"UNKNOWN_REQUEST", "UNKNOWN_RELEASE", "UNKNOWN_PROJECT", "UNKNOWN_JOB", "UNKNOWN_PERIOD"})
UNKNOWN |= {"UNKNOWN_TABLE", "UNKNOWN_PAGE"}
CONFLICTS = frozenset(
    {"BAD_TRANSITION", "RELEASE_BUSY", "HISTORY_MOVING", "KEY_REUSED", "NO_STAGE_ONE", "NOT_PREPARED"}
)

_HTTP = {
    400: ("BAD_REQUEST", "this cannot be understood; check what was sent"),
    401: ("NOT_LOGGED_IN", "say who you are: log in"),
    403: ("FORBIDDEN", "this was not sent from a page of yours; open the page again and repeat"),
    404: ("UNKNOWN_PAGE", "there is nothing at this address; go back to the list of requests"),
    405: ("BAD_METHOD", "this address does not do that; look at what it offers"),
}

ExcInfo: TypeAlias = "tuple[type[BaseException] | None, BaseException | None, TracebackType | None]"


BY_CODE = {
    **dict.fromkeys(UNKNOWN, 404),
    **dict.fromkeys(CONFLICTS, 409),
    "VAULT_LOCKED": 423,
    "HUB_UNAVAILABLE": 503,
}


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, HTTPError):
        return error.status_code
    if not isinstance(error, UserError):
        return 500
    if isinstance(error, SetupError):
        return BY_CODE.get(error.code, 500)
    return BY_CODE.get(error.code, 403 if isinstance(error, PermissionDenied) else 400)


def told(error: BaseException | None, status: int) -> tuple[str, str]:
    """Return code and sentence of an error; of what nobody outside can mend, no more than that it happened."""
    if isinstance(error, UserError):
        return error.code, error.message
    if isinstance(error, EnclaveError):
        return error.code, "something does not hold together; nothing was done. Tell the operator of the house"
    return _HTTP.get(status, ("INTERNAL", "this broke off; nothing was done. Tell the operator of the house"))


class AnswersErrors(RequestHandler):
    """A handler with our headers and our errors."""

    def set_default_headers(self) -> None:
        """Put the security headers on every answer, errors included."""
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def log_exception(self, kind: Any, value: BaseException | None, trace: TracebackType | None) -> None:
        """Write down what nobody foresaw, by its kind and place only: a message could hold data."""
        if isinstance(value, (UserError, HTTPError)):
            return
        places = []
        while trace is not None:
            places.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        code = f" {value.code}" if isinstance(value, EnclaveError) else ""
        sys.stderr.write(
            f"{self.request.method} {self.request.path}: {kind.__name__}{code} in {' '.join(places[-4:])}\n"
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with the one shape of errors."""
        info: ExcInfo = kwargs.get("exc_info", (None, None, None))
        status = status_of(info[1]) if info[1] is not None else status_code
        self.set_status(status)
        self.show_error(status, *told(info[1], status))

    def show_error(self, status: int, code: str, message: str) -> None:  # noqa: ARG002  pages show it
        """Write the error as JSON; pages write a page instead."""
        self.write_json({"error": {"code": code, "message": message}})

    def write_json(self, value: Any) -> None:
        """Answer with JSON in plain ASCII."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(value, ensure_ascii=True, allow_nan=False))


class NothingHere(AnswersErrors):
    """Every address that nobody defined, below /api."""

    def prepare(self) -> None:
        """Say that there is nothing, whatever the method."""
        raise HTTPError(404)
