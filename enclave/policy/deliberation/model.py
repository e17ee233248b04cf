"""A deliberation that holds together: the only door from its YAML text to what may be linked, coded and opened."""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import chain

from pydantic import ValidationInfo, model_validator

from enclave.policy import strict_yaml
from enclave.policy.base import refuse_faults
from enclave.policy.codelist import Codelist
from enclave.policy.deliberation.checks_data import data_faults, form_faults
from enclave.policy.deliberation.checks_derived import derived_faults
from enclave.policy.deliberation.checks_output import output_faults
from enclave.policy.deliberation.checks_terms import term_faults
from enclave.policy.deliberation.data_sets import DataSet
from enclave.policy.deliberation.document import DeliberationDocument
from enclave.policy.deliberation.variables import Derivation
from enclave.policy.expression.evaluate import Tables
from enclave.policy.expression.nodes import Expression
from enclave.policy.expression.parse import parse
from enclave.policy.frame import Surroundings, floor_faults, surroundings, text_faults
from enclave.policy.house import HousePolicy
from enclave.policy.refusal import build
from enclave.policy.source import SourceSchema


class Deliberation(DeliberationDocument):
    """A deliberation whose parts fit each other, the house and the code lists; made by `load_deliberation` only."""

    @model_validator(mode="after")
    def _fit(self, info: ValidationInfo) -> "Deliberation":
        around = surroundings(info.context)
        refuse_faults(
            chain(
                floor_faults(self, around.house),
                term_faults(self, around.house),
                text_faults(self, around.house),
                data_faults(self, around.codelists),
                derived_faults(self, around.codelists),
                output_faults(self, around.house, around.codelists),
            )
        )
        if around.sources is not None:
            refuse_faults(form_faults(self, around.sources))
        return self

    def derivation(self, data_set: str, variable: str) -> tuple[Derivation, Expression] | None:
        """Return how a variable is derived, with the nodes of its expression; None where it is not derived."""
        for derivation in self.derivations:
            if (derivation.data_set, derivation.variable) == (data_set, variable):
                return derivation, parse(derivation.expression)
        return None

    def tables(self, data_set: DataSet, codelists: Mapping[str, Codelist]) -> Tables:
        """Return what the expressions of a data set look classes and codes up in."""
        classes = {scheme.codelist: scheme.classes(codelists[scheme.codelist].leaves) for scheme in self.classes}
        schemes = {field.id: field.scheme or "" for field in (*self.inputs, *data_set.variables)}
        return Tables(classes, {name: codelists[scheme] for name, scheme in schemes.items() if scheme in codelists})


def load_deliberation(
    name: str,
    text: str,
    house: HousePolicy,
    codelists: Mapping[str, Codelist],
    sources: Mapping[str, SourceSchema] | None = None,
) -> Deliberation:
    """Read a deliberation; PolicyError with file, line and what to do for anything that is wrong.

    Where `sources` are given, the forms that the policy names must be among them.
    """
    document = strict_yaml.read(name, text)
    return build(Deliberation, document, Surroundings(house, codelists, sources, document.sha256))


def text_in_force(versions: Iterable[Deliberation], day: dt.date) -> Deliberation | None:
    """Return, among the texts of one deliberation, the one in force on a day; None before the first."""
    started = [version for version in versions if version.versions[-1].effective <= day]
    return max(started, key=lambda version: version.versions[-1].effective, default=None)
