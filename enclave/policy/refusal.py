"""From what a model says about plain data to a refusal: file, line, path, what is wrong, what to do, paragraph."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from enclave.errors import PolicyError
from enclave.policy.base import Fault, Model
from enclave.policy.strict_yaml import Document

AnyModel = TypeVar("AnyModel", bound=Model)

_WANTED = {
    "int_type": "a whole number such as 5, without quotes",
    "float_type": "a number such as 0.02, without quotes",
    "string_type": "text; put quotes around it",
    "bool_type": "true or false, without quotes",
    "date_type": "a date such as 2017-04-04, without quotes",
    "tuple_type": "a list",
    "model_type": "a map of keys and values",
}
_LIMITS = {
    "greater_than_equal": "must be at least {ge}; correct it",
    "less_than_equal": "must be at most {le}; correct it",
    "less_than": "must be less than {lt}; correct it",
    "string_too_short": "is too short to say anything; write at least {min_length} characters",
    "string_too_long": "is longer than {max_length} characters; shorten it",
    "string_pattern_mismatch": "does not have the form that is asked for ({pattern}); correct it",
    "literal_error": "must be {expected}; choose one of these",
    "too_short": "needs at least {min_length} entry; add it",
}


def build(model: type[AnyModel], document: Document, context: object) -> AnyModel:
    """Return the model of a document; PolicyError with one line for each thing that is wrong."""
    try:
        return model.model_validate(dict(document.data), context=context)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=True)
    faults = [fault for detail in details for fault in _faults(detail)]
    sentences = (f"{document.place(fault.path)}: {fault.sentence}{_rests_on(document, fault)}" for fault in faults)
    raise PolicyError(faults[0].code, "\n".join(sentences))


def _rests_on(document: Document, fault: Fault) -> str:
    paragraph = document.paragraph_of(fault.path)
    return f" [paragraph {paragraph}]" if paragraph else ""


def _faults(detail: ErrorDetails) -> Iterator[Fault]:
    """Yield what one complaint of the model means, with the full path."""
    context: Mapping[str, object] = detail.get("ctx", {})
    found = context.get("faults")
    if isinstance(found, tuple):
        yield from (fault._replace(path=(*detail["loc"], *fault.path)) for fault in found)
    else:
        yield Fault(*_said(detail["type"], detail["input"], context, detail["loc"]))


def _said(kind: str, given: object, context: Mapping[str, object], path: tuple[str | int, ...]) -> Fault:
    """Return one complaint about one value in our words."""
    if kind == "missing":
        return Fault("POLICY_MISSING_KEY", path, "this key is missing; add it")
    if kind == "extra_forbidden":
        return Fault("POLICY_UNKNOWN_KEY", path, "this key is not known here; correct its spelling or remove it")
    if given is None or given in ("", ()):
        return Fault("POLICY_EMPTY", path, "this is empty; write what is meant")
    if kind in _WANTED:
        return Fault("POLICY_TYPE", path, f"is {_looks(given)}, and must be {_WANTED[kind]}")
    limit = _LIMITS.get(kind, "does not fit; correct it")
    return Fault("POLICY_VALUE", path, limit.format(**context))


def _looks(given: object) -> str:
    """Return what kind of thing stands in the file."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a fraction"),
        (str, "text"),
        (date, "a date"),
        (tuple, "a list"),
    )
    return next((name for kind, name in kinds if isinstance(given, kind)), "a map")
