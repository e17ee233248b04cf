"""What the launcher takes as an order: exactly four things, and nothing that is only like them."""

import json

import pytest

from enclave.errors import RequestError
from enclave.sandbox.protocol import MAX_LINE, Operation, Order, ServerKey, parse

KEY = {"account": "analyst.one", "project": "advice-17-17-2016"}
START = {"operation": "start", **KEY, "environment": {"JUPYTERHUB_USER": "analyst.one"}}


def line(order: object) -> bytes:
    return json.dumps(order).encode() + b"\n"


@pytest.mark.parametrize("operation", ["poll", "stop"])
def test_an_order_names_the_server(operation: str) -> None:
    key = ServerKey("analyst.one", "advice-17-17-2016")
    assert parse(line({"operation": operation, **KEY})) == Order(Operation(operation), key, {})


def test_a_start_carries_an_environment() -> None:
    assert parse(line(START)).environment == {"JUPYTERHUB_USER": "analyst.one"}


def test_a_list_carries_nothing() -> None:
    assert parse(line({"operation": "list"})).key is None


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"operation": "run", **KEY}, "ORDER_UNKNOWN"),
        ({"operation": ["start"], **KEY}, "ORDER_UNKNOWN"),
        ({**KEY}, "ORDER_UNKNOWN"),
        ([], "ORDER_UNKNOWN"),
        ("start", "ORDER_UNKNOWN"),
        ({**START, "uid": 0}, "ORDER_KEYS"),
        ({**START, "command": ["/bin/sh"]}, "ORDER_KEYS"),
        ({"operation": "start", **KEY}, "ORDER_KEYS"),
        ({"operation": "poll", "account": "analyst.one"}, "ORDER_KEYS"),
        ({"operation": "poll", **KEY, "environment": {}}, "ORDER_KEYS"),
        ({"operation": "list", **KEY}, "ORDER_KEYS"),
        ({**START, "project": "../../etc"}, "ORDER_NAME"),
        ({**START, "project": "a/b"}, "ORDER_NAME"),
        ({**START, "project": ".hidden"}, "ORDER_NAME"),
        ({**START, "project": ""}, "ORDER_NAME"),
        ({**START, "account": "Analyst"}, "ORDER_NAME"),
        ({**START, "account": "a\n"}, "ORDER_NAME"),
        ({**START, "account": 0}, "ORDER_NAME"),
        ({**START, "account": None}, "ORDER_NAME"),
        ({**START, "environment": {"JUPYTERHUB_USER": 1}}, "ORDER_ENVIRONMENT"),
        ({**START, "environment": ["JUPYTERHUB_USER"]}, "ORDER_ENVIRONMENT"),
    ],
)
def test_a_forged_order_is_refused(order: object, code: str) -> None:
    with pytest.raises(RequestError) as refusal:
        parse(line(order))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b'{"operation": "list"}',
        b"\xff\xfe\n",
        b"[" * 60_000 + b"\n",
        b'{"operation": "list", "x": "' + b"a" * MAX_LINE + b'"}\n',
    ],
    ids=["nothing", "empty line", "no end", "no text", "deep", "long"],
)
def test_what_is_no_line_of_an_order_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestError) as refusal:
        parse(raw)
    assert refusal.value.code in {"ORDER_UNKNOWN", "ORDER_LENGTH"}
