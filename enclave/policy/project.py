"""Who is on a project (`policies/projects/*.yaml`): its policy and year, what it is for, and its groups of accounts."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from enclave.errors import PolicyError
from enclave.policy import strict_yaml
from enclave.policy.base import Fault, Model, Text, Words, refuse_faults, repeated
from enclave.policy.refusal import build

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]


class Groups(Model):
    """The accounts of each role in the project; a role that is left out has nobody."""

    cbss_staff: tuple[Name, ...] = ()
    analyst: tuple[Name, ...] = ()


class ProjectFile(Model):
    """The whole file."""

    schema_: Literal["project/1"] = Field(alias="schema")
    project: Name
    policy: Name
    year: Annotated[int, Field(ge=2000, le=2100)]
    purpose: Annotated[Text, Words]
    groups: Groups

    @model_validator(mode="after")
    def _fit(self) -> "ProjectFile":
        refuse_faults(self._faults())
        return self

    @property
    def roles(self) -> dict[str, str]:
        """The role in the project of each account."""
        return {account: role for role, accounts in self.groups for account in accounts}

    def _faults(self) -> Iterator[Fault]:
        if self.project != f"{self.policy}-{self.year}":
            sentence = f"a project is named after policy and year: write {self.policy}-{self.year}, or correct those"
            yield Fault("PROJECT_NAME", ("project",), sentence)
        listed = [account for _, accounts in self.groups for account in accounts]
        if repeated(listed):
            yield Fault("PROJECT_TWICE", ("groups",), "an account stands twice; name each once, in one group")


def load_project(name: str, text: str) -> ProjectFile:
    """Read the file `name` with the contents `text`; PolicyError with file, line and what to do for what is wrong."""
    document = strict_yaml.read(name, text)
    found = build(ProjectFile, document, None)
    if name != f"{found.project}.yaml":
        raise PolicyError(
            "PROJECT_NAME", f"{document.place(('project',))}: the file has another name; call it {found.project}.yaml"
        )
    return found
