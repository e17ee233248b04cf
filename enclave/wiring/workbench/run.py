"""`enclave workbench`: everything in order, from an empty folder to the address that people type."""

import json
import os
import signal
import ssl
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from enclave.errors import SetupError, UserError
from enclave.sandbox import home_needs
from enclave.sandbox.directory import Directory
from enclave.sandbox.notices import Event, Notices
from enclave.sandbox.trial import try_sandbox
from enclave.wiring.ports import now
from enclave.wiring.workbench import certificate, checks, passwords
from enclave.wiring.workbench.folders import give_file, make_folders, remove_sockets
from enclave.wiring.workbench.layout import MASTER_KEY, Layout
from enclave.wiring.workbench.parts import SERVICE_PREFIX, Part, house_work, launcher, parts
from enclave.wiring.workbench.settings import REPOSITORY, WorkbenchSettings, read_settings
from enclave.wiring.workbench.supervisor import Say, Supervisor, run_shown, run_to_end
from enclave.wiring.workbench.system_users import Identities, system_users
from enclave.wiring.workbench.tokens import make_tokens
from enclave.wiring.workbench.unlocking import Unlocking

START_S = 120.0
WITHOUT_ROOT = (
    "Started without root, as a reduced demonstration: sandboxes and parts have no users of their own, memory and "
    "processors no limits, homes neither encryption nor size. Start as root for all of it."
)


def run_workbench(root: Path, settings_file: Path, *, say: Say) -> None:
    """Start the workbench on `root`, tell how to reach it, and keep it running until SIGINT, SIGTERM or SIGHUP."""
    layout = Layout(root.resolve())
    try:
        _run(layout, settings_file, _to_whoever_listens(say), time.monotonic())
    except UserError as refusal:
        _note_refusal(layout, refusal.code)
        raise


def _to_whoever_listens(say: Say) -> Say:
    """Return something that speaks where anybody listens: with its terminal gone, a workbench still ends in order."""

    def speak(line: str) -> None:
        with suppress(OSError):
            say(line)

    return speak


def _note_refusal(layout: Layout, code: str) -> None:
    """Note for the audit log that the workbench did not start; the next gateway that runs here takes it in."""
    folder = layout.notices("supervisor")
    with suppress(OSError):
        if layout.root.is_dir():
            for each in (folder.parent, folder):  # before a first start nothing is there
                each.mkdir(mode=0o711, exist_ok=True)
            Notices(folder).write_if_possible(Event.WORKBENCH_REFUSED, code=code)


def _run(layout: Layout, settings_file: Path, say: Say, began: float) -> None:
    settings = read_settings(settings_file)
    layout.root.mkdir(parents=True, exist_ok=True)
    with checks.only_one(layout.root):
        node = checks.node()
        checks.free_port(settings)
        who = _users(layout, settings)
        checks.who_vouches(settings.log_in, who.hub.uid)
        make_folders(layout, who)
        give_file(layout.settings, settings_file.read_bytes(), who.hub.uid, who)
        make_tokens(layout, who)
        _certificate(layout, settings, who, say)
        _house(layout, who, say)
        _passwords(layout, settings, who)
        _serve(layout, settings, parts(layout, settings, who, node), say, began)


def _users(layout: Layout, settings: WorkbenchSettings) -> Identities:
    if os.getuid() == 0:
        checks.everybody_enters(layout.root.parent, REPOSITORY)
        home_needs.require()
    try_sandbox()
    who = system_users(settings.system_users, settings.server_users)
    if who.as_root:
        checks.can_run(who.hub)
    return who


def _certificate(layout: Layout, settings: WorkbenchSettings, who: Identities, say: Say) -> None:
    """Put the given certificate in place, or the made one: made anew where it is missing or at its end."""
    if not settings.tls.made:
        try:
            found = Path(settings.tls.certificate).read_bytes(), Path(settings.tls.key).read_bytes()
        except OSError as error:
            message = f"'{error.filename}' cannot be read; name the right files under tls in workbench.yaml"
            raise SetupError("CERTIFICATE", message) from error
        warning = certificate.check(*found, now())
    else:
        found, warning = _made_certificate(layout, settings), ""
    if warning:
        say(warning)
    give_file(layout.certificate, found[0], who.proxy.uid, who)
    give_file(layout.certificate_key, found[1], who.proxy.uid, who)


def _made_certificate(layout: Layout, settings: WorkbenchSettings) -> tuple[bytes, bytes]:
    if layout.certificate.exists():
        kept = layout.certificate.read_bytes(), layout.certificate_key.read_bytes()
        if _still_serves(kept, settings):
            return kept
    return certificate.make(settings.address, now())


def _still_serves(made: tuple[bytes, bytes], settings: WorkbenchSettings) -> bool:
    """Say whether a made certificate can go on; one at its end, or damaged, is simply made again."""
    try:
        return not certificate.check(*made, now()) and certificate.is_for(made[0], settings.address)
    except SetupError:
        return False


def _house(layout: Layout, who: Identities, say: Say) -> None:
    """Make the first house where there is none; only houses for made-up data are served."""
    if not layout.house.exists():
        say("first start: making a house of made-up data; this takes some minutes")
        run_shown(house_work(layout, who, "first_house", layout.building))
        key = layout.building / layout.medium.name / MASTER_KEY
        give_file(layout.medium / MASTER_KEY, key.read_bytes(), os.getuid(), who)
        key.unlink()
        (layout.building / "house").rename(layout.house)
    run_shown(house_work(layout, who, "directory", layout.house))
    if not Directory.read(layout.directory).synthetic:
        raise SetupError("SYNTHETIC_ONLY", "this is the trial stage: the workbench opens houses of made-up data only")


def _passwords(layout: Layout, settings: WorkbenchSettings, who: Identities) -> None:
    """Give each made-up account of the directory a password, once; the hub gets hashes only."""
    if not settings.log_in.made_up:
        layout.log_ins.unlink(missing_ok=True)
        layout.accounts.unlink(missing_ok=True)
        return
    known = passwords.from_lines(layout.log_ins.read_text(encoding="utf-8")) if layout.log_ins.exists() else {}
    mine = passwords.for_accounts(Directory.read(layout.directory).accounts, known)
    give_file(layout.log_ins, passwords.as_lines(mine).encode(), os.getuid(), who)
    give_file(layout.accounts, passwords.hashed(mine).encode(), who.hub.uid, who)


def _serve(layout: Layout, settings: WorkbenchSettings, all_parts: tuple[Part, ...], say: Say, began: float) -> None:
    """Start the parts, wait until the front answers, and keep them running until told to end."""
    ended: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda which, _frame: ended.append(which))
    notices = Notices(layout.notices("supervisor"))
    supervisor = Supervisor(layout.logs, say, Unlocking(layout, say), notices)
    try:
        for part in all_parts:
            supervisor.start(part)
        _wait_until_up(layout, settings, supervisor, lambda: not ended)
        if not ended:
            notices.write(Event.WORKBENCH_STARTED)
            _tell(layout, settings, say, time.monotonic() - began)
        supervisor.watch(lambda: not ended)
    finally:
        layout.ready.unlink(missing_ok=True)
        say("stopping")
        notices.write_if_possible(Event.WORKBENCH_STOPPED)
        supervisor.end()
        run_to_end(launcher(layout, "--stop-all"), layout.logs)
        remove_sockets(layout)


def _wait_until_up(
    layout: Layout, settings: WorkbenchSettings, supervisor: Supervisor, goes_on: Callable[[], bool]
) -> None:
    """Wait until the log-in page answers at the front; SetupError with the logs' place where it does not."""
    until = time.monotonic() + START_S
    while goes_on():
        supervisor.look()
        if _answers(layout, settings):
            return
        if time.monotonic() > until:
            raise SetupError("NOT_UP", f"the workbench does not answer; the reason stands in '{layout.logs}'")
        time.sleep(0.2)


def _answers(layout: Layout, settings: WorkbenchSettings) -> bool:
    trust = ssl.create_default_context(cafile=str(layout.certificate))
    trust.check_hostname = settings.tls.made  # a given one may name a host, and we ask by address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        for page in ("hub/login", SERVICE_PREFIX.lstrip("/")):
            opener.open(f"{settings.url}{page}", timeout=5).close()
    except OSError:
        return False
    return True


def _tell(layout: Layout, settings: WorkbenchSettings, say: Say, seconds: float) -> None:
    layout.ready.write_text(json.dumps({"address": settings.url, "process": os.getpid()}) + "\n", encoding="utf-8")
    say("")
    say(f"The workbench is up after {seconds / 60:.1f} minutes: {settings.url}")
    if settings.tls.made:
        say("Its certificate is its own; the browser will ask. SHA-256 fingerprint:")
        say(f"  {certificate.fingerprint(layout.certificate.read_bytes())}")
    if os.getuid() != 0:
        say(WITHOUT_ROOT)
    say("Trial stage: made-up data only (SYNTHETIC).")
    if settings.log_in.made_up:
        _tell_log_ins(layout, say)
    say("Stop it with Ctrl-C.")


def _tell_log_ins(layout: Layout, say: Say) -> None:
    say("Made-up log-ins:")
    for account, password in passwords.from_lines(layout.log_ins.read_text(encoding="utf-8")).items():
        say(f"  {account:<14} {password}")
