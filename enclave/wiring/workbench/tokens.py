"""Tokens that parts show each other: drawn once, kept in a file for each side, readable by that side only."""

import secrets

from enclave.wiring.workbench.folders import give_file
from enclave.wiring.workbench.layout import Layout
from enclave.wiring.workbench.system_users import Identities

COOKIE_SECRET, PROXY_TOKEN, GATEWAY_TOKEN = "cookie-secret", "proxy-token", "gateway-token"


def make_tokens(layout: Layout, who: Identities) -> None:
    """Draw what is missing. The hub's copy is the one that counts; the other side's is written anew from it."""
    for name, other in ((COOKIE_SECRET, None), (PROXY_TOKEN, "proxy"), (GATEWAY_TOKEN, "gateway")):
        mine = layout.token("hub", name)
        if not mine.exists():
            give_file(mine, secrets.token_hex(32).encode(), who.hub.uid, who)
        if other is not None:
            owner = who.proxy.uid if other == "proxy" else who.gateway.uid
            give_file(layout.token(other, name), mine.read_bytes(), owner, who)


def read_token(layout: Layout, part: str, name: str) -> str:
    """Return a token."""
    return layout.token(part, name).read_text(encoding="ascii").strip()
