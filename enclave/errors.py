"""The tree of errors. A message says what, why (rule, paragraph), and what to do next.

::

    EnclaveError
    |- UserError            shown as it is, without traceback
    |  |- PolicyError       a policy, a source schema or a prerequisite says no            (exit 10)
    |  |- RequestError      a request or a review cannot be taken as it stands             (exit 11)
    |  |- PermissionDenied  this person may not do this                                    (exit 12)
    |  |- DeliveryError     a delivered file is refused whole                              (exit 13)
    |  '- SetupError        the house is not set up for this: a folder, a key, a feature   (exit 14)
    |- IntegrityError       log, signature or ciphertext does not verify: stop everything  (exit 20)
    '- EnclaveBug           "cannot happen": fail closed, nothing is released              (exit 30)

No message contains a count, a hidden value or a row: a message may be read by someone who may not see them.
"""

from typing import ClassVar


class EnclaveError(Exception):
    """Any error that this product raises on purpose; `code` is stable, `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str) -> None:
        """Keep the stable `code` (upper case words) beside the sentence for people."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["EnclaveError"], tuple[str, str]]:
        """Survive the way home from another process."""
        return type(self), (self.code, self.message)


class UserError(EnclaveError):
    """Something a person can mend."""

    exit_code = 2


class PolicyError(UserError):
    """A policy, a source schema or a prerequisite says no."""

    exit_code = 10


class RequestError(UserError):
    """A request or a review cannot be taken as it stands."""

    exit_code = 11


class PermissionDenied(UserError):  # noqa: N818  the word people read
    """This person may not do this."""

    exit_code = 12


class DeliveryError(UserError):
    """A delivered file is refused whole."""

    exit_code = 13


class SetupError(UserError):
    """The house is not set up for this: a folder, a key or a feature of the host is missing."""

    exit_code = 14


class IntegrityError(EnclaveError):
    """A log, a signature or a ciphertext does not verify: stop, and call a human."""

    exit_code = 20


class EnclaveBug(EnclaveError):  # noqa: N818  not an error of anybody outside
    """Something that cannot happen did: fail closed, nothing is released."""

    exit_code = 30
