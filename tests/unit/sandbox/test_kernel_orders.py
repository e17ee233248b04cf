"""What a notebook server may say to the launcher: exactly the five orders, whatever else is tried."""

import json

import pytest

from enclave.errors import RequestError
from enclave.sandbox.kernel_orders import KernelOperation, KernelOrder, parse

KERNEL = "6f69c0bb-93ef-4c9e-936b-731c4f6f89cc"


def line(**order: object) -> bytes:
    return json.dumps(order).encode() + b"\n"


@pytest.mark.parametrize("operation", [one for one in KernelOperation if one is not KernelOperation.START])
def test_an_order_names_a_kernel(operation: KernelOperation) -> None:
    assert parse(line(operation=operation, kernel=KERNEL)) == KernelOrder(operation, KERNEL, ".")


def test_a_start_names_a_folder_below_the_home() -> None:
    assert parse(line(operation="start", kernel=KERNEL, folder="tutorials/één")).folder == "tutorials/één"


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"operation": "exec", "kernel": KERNEL}, "ORDER_UNKNOWN"),
        ({"operation": ["start"], "kernel": KERNEL}, "ORDER_UNKNOWN"),
        ({"operation": "poll"}, "ORDER_KEYS"),
        ({"operation": "poll", "kernel": KERNEL, "account": "staff.one"}, "ORDER_KEYS"),
        ({"operation": "start", "kernel": KERNEL}, "ORDER_KEYS"),
        ({"operation": "start", "kernel": KERNEL, "folder": ".", "environment": {"LD_PRELOAD": "x"}}, "ORDER_KEYS"),
        ({"operation": "poll", "kernel": "../../etc/passwd"}, "ORDER_NAME"),
        ({"operation": "poll", "kernel": f"{KERNEL}\n"}, "ORDER_NAME"),
        ({"operation": "poll", "kernel": 7}, "ORDER_NAME"),
        ({"operation": "start", "kernel": KERNEL, "folder": "/etc"}, "ORDER_FOLDER"),
        ({"operation": "start", "kernel": KERNEL, "folder": "a/../../b"}, "ORDER_FOLDER"),
        ({"operation": "start", "kernel": KERNEL, "folder": "a\0b"}, "ORDER_FOLDER"),
        ({"operation": "start", "kernel": KERNEL, "folder": "a" * 1001}, "ORDER_FOLDER"),
        ({"operation": "start", "kernel": KERNEL, "folder": 5}, "ORDER_FOLDER"),
    ],
)
def test_everything_else_is_refused(order: dict[str, object], code: str) -> None:
    with pytest.raises(RequestError) as refusal:
        parse(line(**order))
    assert refusal.value.code == code


@pytest.mark.parametrize("raw", [b"", b"{}", b"x" * 70_000 + b"\n", b"[" * 50_000 + b"\n"])
def test_what_is_no_line_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestError):
        parse(raw)
