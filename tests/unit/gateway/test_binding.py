"""What an approval binds to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from enclave.errors import EnclaveBug, RequestError
from enclave.gateway.binding import Binding, Package
from enclave.gateway.canonical import canonical, utc_moment, utc_text

BINDING = Binding("1" * 64, "2" * 64, "3" * 64, "4" * 64)
PACKAGE = Package({"tables/t.csv": b"a,1\n", "README.txt": b"x"}, b"{}")


@pytest.mark.parametrize("what", ["tables", "pattern", "policy", "snapshot"])
def test_each_part_changes_the_digest(what: str) -> None:
    assert replace(BINDING, **{what: "5" * 64}).digest != BINDING.digest


def test_parts_are_not_interchangeable() -> None:
    assert Binding("2" * 64, "1" * 64, "3" * 64, "4" * 64).digest != BINDING.digest


@pytest.mark.parametrize("bad", ["", "1" * 63, "1" * 65, "A" * 64, "g" * 64, "1" * 64 + "\n"])
def test_only_a_sha256_binds(bad: str) -> None:
    with pytest.raises(RequestError, match="BAD_DIGEST"):
        Binding(bad, "2" * 64, "3" * 64, "4" * 64)


@pytest.mark.parametrize(
    "other",
    [
        Package({**PACKAGE.files, "tables/t.csv": b"a,2\n"}, b"{}"),
        Package({"tables/u.csv": b"a,1\n", "README.txt": b"x"}, b"{}"),
        Package({"tables/t.csv": b"a,1\n"}, b"{}"),
        Package(PACKAGE.files, b"{ }"),
    ],
)
def test_every_published_byte_changes_the_package(other: Package) -> None:
    assert other.digest != PACKAGE.digest


def test_the_order_of_files_does_not() -> None:
    assert Package(dict(reversed(list(PACKAGE.files.items()))), b"{}").digest == PACKAGE.digest


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.sig"])
def test_a_package_cannot_bring_its_own_manifest(name: str) -> None:
    with pytest.raises(RequestError, match="PACKAGE_MANIFEST"):
        Package({name: b""}, b"{}")


def test_an_empty_package_is_refused() -> None:
    with pytest.raises(RequestError, match="PACKAGE_EMPTY"):
        Package({}, b"{}")


def test_canonical_json_has_one_spelling() -> None:
    assert canonical({"b": [1, None, True], "a": "é"}) == '{"a":"é","b":[1,null,true]}'.encode()
    with pytest.raises(EnclaveBug, match="NOT_CANONICAL"):
        canonical({"a": [{"b": 0.5}]})  # type: ignore[dict-item]


def test_times_are_utc_and_come_back() -> None:
    moment = datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC)
    assert utc_text(moment) == "2026-11-23T10:00:00.123Z"
    assert utc_moment(utc_text(moment)) == moment
    with pytest.raises(EnclaveBug, match="NAIVE_TIME"):
        utc_text(moment.replace(tzinfo=None))
