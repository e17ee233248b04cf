"""What leaves beside microdata: anonymous counts, and amounts of whole employers."""

from typing import Annotated, Literal

from pydantic import Field

from enclave.policy.base import Label, Model, Ruling, Slug, Text, Words


class Dimension(Model):
    """One variable of a count."""

    id: Slug
    codelist: Slug


class Contributors(Model):
    """The second respondents behind a figure: how many there must be, and how much the largest may hold."""

    unit: Literal["person", "employer"]
    minimum: Annotated[int, Field(ge=2)]
    largest_share: Annotated[int, Field(ge=1, le=99)]
    """Per cent of the figure that the largest contributor may not pass."""


class AnonymousCount(Model):
    """One table of counts that is asked for as such."""

    id: Slug
    title: Label
    unit: Literal["person", "employer"]
    """Who is counted."""
    contributors: Contributors | None
    """For counts of persons: their employers, who could be recognised. Null where employers themselves are counted."""
    dimensions: Annotated[tuple[Dimension, ...], Field(min_length=1)]
    place: Words
    """Whose place it is."""
    moment: Slug
    minimum_frequency: int
    point: Slug
    """The open point that set the threshold, since the text sets none."""
    paragraph: Text


class EmployerAmounts(Model):
    """When the amounts of one employer may be shown, since those of a small one are those of a person."""

    variables: Annotated[tuple[Slug, ...], Field(min_length=1)]
    minimum_workers: Ruling[int]
    largest_share: Ruling[Annotated[int, Field(ge=1, le=99)]]
    """Per cent of the amount that one worker may not pass."""
    otherwise: Literal["not_delivered"]
    point: Slug
