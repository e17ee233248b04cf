"""What accounts may do in the hub. The hub only says who somebody is; the gateway decides by its own register."""

from enclave.wiring.workbench.parts import SERVICE

THROUGH_GATEWAY = f"access:services!service={SERVICE}"

ROLES = [
    {
        "name": "user",
        "description": "Start, stop and open one's own servers, and use the gateway; no tokens, no sharing",
        "scopes": ["read:users!user", "servers!user", "access:servers!user", "users:activity!user", THROUGH_GATEWAY],
    },
    {
        "name": "server",
        "description": "What a notebook server's token may do: tell that it is used",
        "scopes": ["users:activity!user", "access:servers!server"],
    },
    {
        "name": "operator",
        "description": "List and stop servers, without entering them",
        "scopes": ["list:users", "read:servers", "delete:servers"],
        "groups": ["role-operator"],
    },
    {
        "name": "gateway",
        "description": "Find out whose session it is shown",
        "scopes": ["read:users:name", "read:users:groups"],
        "services": [SERVICE],
    },
]
