"""What accounts may do in the hub: no more than the list says, whoever they are."""

from hub_config.roles import ROLES

FORBIDDEN = ("admin", "tokens", "shares", "shutdown", "proxy", "groups", "access:servers!", "inherit", "self")


def scopes(name: str) -> list[str]:
    (role,) = (role for role in ROLES if role["name"] == name)
    return list(role["scopes"])


def test_the_user_role_is_narrowed() -> None:
    assert scopes("user") == [
        "read:users!user",
        "servers!user",
        "access:servers!user",
        "users:activity!user",
        "access:services!service=gateway",
    ]


def test_a_notebook_servers_token_tells_that_it_is_used_and_opens_nothing_else() -> None:
    assert scopes("server") == ["users:activity!user", "access:servers!server"]


def test_operators_list_and_stop_and_enter_nothing() -> None:
    assert scopes("operator") == ["list:users", "read:servers", "delete:servers"]


def test_nobody_has_a_scope_of_an_admin() -> None:
    for role in ROLES:
        if role["name"] in {"user", "server"}:
            continue
        for scope in role["scopes"]:
            assert not scope.startswith(FORBIDDEN), scope
    assert "admin" not in {role["name"] for role in ROLES}
