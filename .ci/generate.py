"""Writes, or with --check compares, the parts of the documents that the code itself knows: help texts, state diagram.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. NAME is `state diagram` or a command line.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from enclave.cli import cli
from enclave.gateway.request import state_diagram

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "ARCHITECTURE.md")
PART = re.compile(r"(<!-- generated: (?P<name>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def part(name: str) -> str:
    """Return what stands between the marks of this name."""
    if name == "state diagram":
        return f"```mermaid\n{state_diagram().rstrip()}\n```\n"
    return f"```\n$ {name} --help\n{help_of(name.split()).rstrip()}\n```\n"


def help_of(words: list[str]) -> str:
    """Return the help text of a command, at a fixed width."""
    command: click.Command = cli
    context = click.Context(cli, info_name=words[0], terminal_width=100, max_content_width=100)
    for word in words[1:]:
        if not isinstance(command, click.Group):
            raise SystemExit(f"{word} is not a command")
        found = command.get_command(context, word)
        if found is None:
            raise SystemExit(f"{word} is not a command")
        command = found
        context = click.Context(command, info_name=word, parent=context, terminal_width=100, max_content_width=100)
    return command.get_help(context)


def stale(*, check: bool) -> Iterator[str]:
    """Yield the documents whose generated parts are old; without `check`, write them anew."""
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        fresh = PART.sub(lambda match: match[1] + part(match["name"]) + match[3], text)
        if fresh != text:
            yield name
            if not check:
                path.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    only_check = "--check" in sys.argv[1:]
    old = list(stale(check=only_check))
    for name in old:
        print(f"{name}: generated parts {'are old; run `make fix`' if only_check else 'written'}")
    sys.exit(1 if old and only_check else 0)
