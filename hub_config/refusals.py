"""Refusals as people see them in the hub: a code that the pages have words for, and a sentence for programs."""

from http import HTTPStatus

from tornado.web import HTTPError

from enclave.errors import SetupError, UserError

LOCKED = 423
_STATUS = {
    "UNKNOWN_PROJECT": HTTPStatus.NOT_FOUND,
    "VAULT_LOCKED": LOCKED,
}


class Refusal(HTTPError):  # noqa: N818  the word people read
    """An error of ours on its way to a page; `code` is stable, `jupyterhub_message` is what JupyterHub shows."""

    def __init__(self, error: UserError) -> None:
        usual = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, SetupError) else HTTPStatus.FORBIDDEN
        super().__init__(int(_STATUS.get(error.code, usual)), error.message)
        self.code = error.code
        self.jupyterhub_message = error.message
