"""What a policy lets out: variables, tables, rules, stages, and the words for what is hidden."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from enclave.policy.base import Code, Label, Model, Ruling, Slug, Text, Words


class PolicyVariable(Model):
    """One variable that may be processed; anything that is not listed is refused."""

    id: Slug
    label: Label
    codelist: Slug
    source: Slug
    """Id of the source, or `population` for what the cohort builder makes."""
    column: Slug
    level: Words
    """How fine: what one class is."""
    unit: Literal["person"]
    reference: Literal["own quarter", "quarter end"]
    """own quarter: taken once, in the quarter of the person's group; quarter end: taken at the end of each quarter."""
    unknown: Code | None
    """Code for what is not known; null where the last known value stays."""
    paragraph: Text


class PolicyTable(Model):
    """One table, made for each quarter of the window."""

    id: Slug
    title: Label
    dimensions: Annotated[tuple[Slug, ...], Field(min_length=1)]
    paragraph: Text


def _pairs(given: object) -> object:
    """Turn {region: XX, position: "111"} into pairs, which nobody can change afterwards."""
    return tuple(given.items()) if isinstance(given, dict) else given


Combination = Annotated[tuple[tuple[Slug, Code], ...], BeforeValidator(_pairs), Field(min_length=2)]
"""(variable, code) pairs that no person can have together."""


class Rules(Model):
    """The safety rules."""

    minimum_frequency: Ruling[int]
    """The least count that may be shown."""
    zeros: Ruling[Literal["show", "show_or_secondary", "hide", "structural"]]
    """show: every zero; show_or_secondary: unless hidden to protect another; structural: only what cannot be."""
    mark: Ruling[Literal["one", "two"]]
    """one: primary and secondary look alike; two: they do not, and no interval is narrower than its mark says."""
    need: Ruling[Literal["threshold"]]
    """threshold: of no hidden cell can it be shown that it is below the least count."""
    weights: Ruling[Literal["unit", "count", "log_count"]]
    """What a hidden cell costs when the pattern is chosen."""
    structural_zeros: tuple[Combination, ...]


class Inside(Model):
    """Stage 1: tables that stay in the building."""

    audience: Words
    made_by: Literal["cbss_staff"]
    paragraph: Text


class Outside(Model):
    """Stage 2: what is worked out from stage 1 by declared operations, and leaves."""

    audience: Words
    derived_from: Literal["inside"]
    operations: Annotated[tuple[Literal["sum", "share", "change"], ...], Field(min_length=1)]
    paragraph: Text


class Stages(Model):
    """The two stages of paragraph 4: each release belongs to one."""

    inside: Inside
    outside: Outside


class PolicyTexts(Model):
    """The policy's own words for a hidden cell; the house's stand where one is left out."""

    mark: Label | None = None
    mark_primary: Label | None = None
    mark_secondary: Label | None = None
