"""The hub: log-in, projects as named servers, and the gateway beside it. Started by `enclave workbench`."""

import os

from traitlets.config import get_config

from enclave.sandbox.environment import socket_url
from enclave.wiring.workbench.log_in_settings import LdapSettings, LogInSettings, OidcSettings, PamSettings
from enclave.wiring.workbench.parts import ISOLATED, SERVICE, SERVICE_PREFIX
from enclave.wiring.workbench.settings import REPOSITORY
from enclave.wiring.workbench.tokens import COOKIE_SECRET, GATEWAY_TOKEN, PROXY_TOKEN, read_token
from hub_config.roles import ROLES
from hub_config.spawner import LauncherSpawner
from hub_config.vouching.ldap import LdapLogIn
from hub_config.vouching.made_up import MadeUpUsers
from hub_config.vouching.oidc import OidcLogIn
from hub_config.vouching.pam import PamLogIn
from hub_config.words import Reader, read_words
from hub_config.workbench import layout, settings

c = get_config()
here, told = layout(), settings()

# Where it listens: a socket. The front alone is on the network.
c.JupyterHub.bind_url = told.url
c.JupyterHub.hub_bind_url = socket_url(here.hub_socket)
c.JupyterHub.hub_connect_url = socket_url(here.hub_socket)
c.JupyterHub.hub_socket_mode = 0o660
c.JupyterHub.db_url = f"sqlite:///{here.hub_state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret = bytes.fromhex(read_token(here, "hub", COOKIE_SECRET))

# The front is the supervisor's. The hub looks after its routes every few seconds, so that a new front knows them soon.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = socket_url(here.proxy_socket)
c.ConfigurableHTTPProxy.auth_token = read_token(here, "hub", PROXY_TOKEN)
c.JupyterHub.last_activity_interval = 2
c.JupyterHub.cleanup_servers = False  # a hub that starts again finds them running
c.JupyterHub.cleanup_proxy = False

# Who: whoever is enrolled, as the directory says anew each time, and is vouched for; nobody is admin.
c.HouseLogIn.directory = str(here.directory)
c.HouseLogIn.notices = str(here.notices("hub"))
c.HouseLogIn.wrong_passwords = told.sessions.wrong_passwords
c.HouseLogIn.pause_s = 60 * told.sessions.pause_minutes
sends_to = ""
match told.log_in:
    case LogInSettings(pam=PamSettings() as pam):
        c.JupyterHub.authenticator_class, c.PamLogIn.service = PamLogIn, pam.service
    case LogInSettings(ldap=LdapSettings() as ldap):
        c.JupyterHub.authenticator_class, c.LdapLogIn.told = LdapLogIn, ldap
    case LogInSettings(oidc=OidcSettings() as oidc):
        c.JupyterHub.authenticator_class, c.OidcLogIn.told = OidcLogIn, oidc
        sends_to = f" {oidc.origin}"  # a form may lead there
    case _:
        c.JupyterHub.authenticator_class, c.MadeUpUsers.accounts = MadeUpUsers, str(here.accounts)
c.Authenticator.manage_groups = True
c.Authenticator.refresh_pre_spawn = True
c.Authenticator.auth_refresh_age = told.sessions.refresh_seconds
c.JupyterHub.load_roles = ROLES

# What: named servers, one for each project; no unnamed one, no sharing.
c.JupyterHub.spawner_class = LauncherSpawner
c.LauncherSpawner.launcher_socket = str(here.launcher_socket)
c.LauncherSpawner.directory = str(here.directory)
c.LauncherSpawner.notices = str(here.notices("hub"))
c.Spawner.poll_interval = 2
c.Spawner.http_timeout = 60
c.Spawner.consecutive_failure_limit = 0
c.JupyterHub.allow_named_servers = True
c.JupyterHub.default_url = "/hub/home"
c.JupyterHub.implicit_spawn_seconds = 0

# The gateway. Its route is the front's own, since JupyterHub would add a port to the socket's URL.
c.JupyterHub.services = [
    {
        "name": SERVICE,
        "api_token": read_token(here, "hub", GATEWAY_TOKEN),
        "oauth_client_id": f"service-{SERVICE}",
        "oauth_redirect_uri": f"{SERVICE_PREFIX}oauth_callback",
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [f"access:services!service={SERVICE}"],
    }
]

# Sessions and pages.
c.JupyterHub.cookie_max_age_days = told.sessions.hours / 24
c.JupyterHub.oauth_token_expires_in = 3600 * told.sessions.hours
c.JupyterHub.template_paths = [str(REPOSITORY / "hub_config" / "templates")]
c.JupyterHub.template_vars = {
    "reader": Reader(read_words()),
    "gateway_url": SERVICE_PREFIX,
    "isolated": os.environ.get(ISOLATED) == "1",
}
c.JupyterHub.tornado_settings = {
    "cookie_options": {"secure": True, "samesite": "Lax"},
    "headers": {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; "
        f"form-action 'self'{sends_to}; base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "same-origin",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
    },
}
