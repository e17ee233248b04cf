"""The settings of a workbench: one YAML file, strict, read once."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from enclave.errors import PolicyError, SetupError
from enclave.policy.base import Fault, Model, Text, refuse_faults
from enclave.policy.refusal import build
from enclave.policy.strict_yaml import read as read_yaml
from enclave.sandbox.settings import FIRST_UID
from enclave.wiring.workbench.log_in_settings import LogInSettings

REPOSITORY = Path(__file__).resolve().parents[3]
"""Where the product stands: this package, `hub_config`, the virtual environments."""

DEFAULT = REPOSITORY / "hub_config" / "workbench.yaml"
MADE = "made"
SMALLEST_HOME = 32 * 1024 * 1024
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class Tls(Model):
    """Certificate and key as PEM files, or the word `made` for both: then the workbench makes its own."""

    certificate: Text
    key: Text

    @property
    def made(self) -> bool:
        """Whether the workbench makes its own certificate."""
        return self.certificate == MADE and self.key == MADE

    @model_validator(mode="after")
    def _both(self) -> "Tls":
        if (self.certificate == MADE) != (self.key == MADE):
            refuse_faults([Fault("SETTINGS_TLS", ("key",), "give certificate and key, or write made for both")])
        return self


class SystemUsers(Model):
    """Names of the users that hub, gateway, proxy and door run as, and of two groups.

    Members of `inside` may reach the sockets of hub and gateway; members of `front` also those of notebook servers.
    """

    hub: Name
    gateway: Name
    proxy: Name
    door: Name
    inside: Name
    front: Name


class ServerUsers(Model):
    """The range of user numbers for notebook servers; none of them may belong to anybody."""

    first: Annotated[int, Field(ge=FIRST_UID, le=2_000_000_000)]
    count: Annotated[int, Field(ge=1, le=1_000_000)]


class ServerLimits(Model):
    """What a notebook server may use."""

    open_files: Count
    processes: Count
    file_bytes: Count
    stop_seconds: Count
    idle_minutes: Count
    """A server and its kernels end after this time without use."""


class SandboxSettings(Model):
    """What each of a person's two sandboxes may use, as root."""

    server_memory: Count
    kernel_memory: Count
    """Bytes that all kernels of a person in a project use together."""
    cpu_percent: Count
    """100 is one processor."""
    kernels: Count
    """How many kernels a person may run at once in a project."""
    temporary_bytes: Count
    """Room of /tmp, and of /dev/shm: both are memory, and count as such."""
    temporary_files: Count


class HomeSettings(Model):
    """How large the home of a person in a project is, as root. It is made once: a change counts for homes to come."""

    bytes: Annotated[int, Field(ge=SMALLEST_HOME)]
    files: Annotated[int, Field(ge=100)]
    free_bytes: Count
    """Where the disk has less room than this beside what is promised to homes, no home is opened."""


class Sessions(Model):
    """How long people stay logged in, and how soon a change in the directory counts in the hub."""

    hours: Annotated[int, Field(ge=1, le=24)]
    refresh_seconds: Annotated[int, Field(ge=1, le=60)]
    wrong_passwords: Annotated[int, Field(ge=1, le=10)]
    """So many wrong passwords for an account, or from an address, close the door for `pause_minutes`."""
    pause_minutes: Annotated[int, Field(ge=1, le=60)]


class WorkbenchSettings(Model):
    """The whole file."""

    schema_: Literal["workbench/1"] = Field(alias="schema")
    address: Text
    port: Annotated[int, Field(ge=1, le=65535)]
    allowed_networks: Annotated[tuple[Text, ...], Field(min_length=1)]
    tls: Tls
    system_users: SystemUsers
    server_users: ServerUsers
    server_limits: ServerLimits
    sandbox: SandboxSettings
    home: HomeSettings
    sessions: Sessions
    log_in: LogInSettings

    @model_validator(mode="after")
    def _addresses(self) -> "WorkbenchSettings":
        faults = [] if _is(ip_address, self.address) else [_fault(("address",), "is not an IP address")]
        faults += [
            _fault(("allowed_networks", place), "is not a network such as 10.1.0.0/16 (no bits set behind the mask)")
            for place, network in enumerate(self.allowed_networks)
            if not _is(ip_network, network)
        ]
        refuse_faults(faults)
        return self

    @property
    def url(self) -> str:
        """What people type in their browser."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"https://{host}:{self.port}/"


def read_settings(path: Path) -> WorkbenchSettings:
    """Read a settings file; SetupError with file, line and key for whatever is wrong."""
    try:
        return build(WorkbenchSettings, read_yaml(path.name, path.read_text(encoding="utf-8")), None)
    except PolicyError as error:
        raise SetupError("WORKBENCH_SETTINGS", error.message) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError("WORKBENCH_SETTINGS", f"'{path}' cannot be read; give a file with --settings") from error


def _is(kind: type | object, text: str) -> bool:
    try:
        kind(text)  # type: ignore[operator]
    except ValueError:
        return False
    return True


def _fault(path: tuple[str | int, ...], sentence: str) -> Fault:
    return Fault("SETTINGS_ADDRESS", path, f"{sentence}; correct it")
