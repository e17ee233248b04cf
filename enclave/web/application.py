"""Every address there is: pages for people on one socket, the interface for kernels on sockets of their own."""

from collections.abc import Sequence
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from enclave.errors import SetupError
from enclave.sandbox.callers import Caller
from enclave.web import api, forms, page, pages, state
from enclave.web.answers import NothingHere
from enclave.web.services import Services
from enclave.web.style import StaticHandler
from enclave.wiring.house import House

MOST_BODY_BYTES = 1024 * 1024
"""What the server reads at all; handlers take less (`api.MOST_BYTES`)."""

NAME = r"([^/]{1,150})"

API: Sequence[tuple[str, type[RequestHandler]]] = (
    ("api/me", api.Me),
    (f"api/projects/{NAME}", api.OneProject),
    (f"api/projects/{NAME}/data/{NAME}", api.Microdata),
    (f"api/projects/{NAME}/tables/{NAME}", api.InsideTable),
    (f"api/projects/{NAME}/requests", api.ProjectRequests),
    (f"api/jobs/{NAME}", api.OneJob),
    ("api/requests", api.Requests),
    (f"api/requests/{NAME}", api.OneRequest),
    (f"api/requests/{NAME}/(submit|withdraw)", api.RequestStep),
)

PAGES: Sequence[tuple[str, type[RequestHandler]]] = (
    ("", pages.Home),
    ("about", page.About),
    ("language/(nl|fr|en)", page.ChooseLanguage),
    ("log-out", page.LogOut),
    (f"projects/{NAME}", pages.ProjectPage),
    (f"projects/{NAME}/produce", forms.Produce),
    (f"requests/{NAME}", pages.RequestPage),
    (f"requests/{NAME}/vote", forms.Vote),
    (f"requests/{NAME}/(return|submit|withdraw)", forms.Step),
    (f"requests/{NAME}/release", forms.StartRelease),
    (f"releases/{NAME}", pages.ReleasePage),
    (f"releases/{NAME}/download", forms.Download),
    ("audit", pages.AuditPage),
    ("state", state.StatePage),
)


def check_house(house: House) -> None:
    """Raise SetupError unless the house is for made-up data: this is the trial stage."""
    if not house.settings.synthetic:
        raise SetupError(
            "NOT_SYNTHETIC",
            "this is the trial stage: only houses for made-up data are served; make one with --synthetic",
        )


def application(services: Services) -> Application:
    """Return the pages of an open house; SetupError NOT_SYNTHETIC."""
    check_house(services.house)
    given: dict[str, Any] = {"services": services}
    routes = [(path, handler, given) for path, handler in PAGES]
    routes += services.identity.routes()
    routes += [(r"static/[0-9a-f]{12}/(style\.css)", StaticHandler, {}), (r"static/(icon\.svg)", StaticHandler, {})]
    routes += [("api(?:/.*)?", NothingHere, {}), (".*", page.NoPage, given)]
    return Application(
        [(services.prefix + path, handler, with_) for path, handler, with_ in routes],
        default_handler_class=NothingHere,
        cookie_secret=services.secret,
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True, "secure": True, "samesite": "Lax"},
        log_function=_say_nothing,
    )


def caller_application(services: Services, caller: Caller) -> Application:
    """Return the interface as the kernels of one account and project may use it, and nothing else."""
    check_house(services.house)
    given = {"services": services, "caller": caller}
    return Application(
        [(services.prefix + path, handler, given) for path, handler in API],
        default_handler_class=NothingHere,
        log_function=_say_nothing,
    )


def server(services: Services) -> HTTPServer:
    """Return a server of the pages that is not listening yet."""
    return HTTPServer(application(services), xheaders=True, max_body_size=MOST_BODY_BYTES)


def _say_nothing(_: RequestHandler) -> None:
    """Write no access log: the proxy has one, and what matters stands in the audit log."""
