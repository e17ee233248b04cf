"""From the text of an expression to its nodes.

::

    choice      = either { "or" either }
    either      = truth { "and" truth }
    truth       = "not" truth | comparison
    comparison  = sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum ]
    sum         = product { ("+" | "-") product }
    product     = factor { ("*" | "/") factor }
    factor      = number | 'word' | undefined | name | function "(" choice { "," choice } ")" | "(" choice ")"
"""

import re
from collections.abc import Callable

from enclave.policy.expression.nodes import (
    COMPARISONS,
    FUNCTIONS,
    Call,
    Expression,
    Name,
    Number,
    Operation,
    Undefined,
    Word,
    refusal,
)

_TOKEN = re.compile(
    r"(?P<number>[0-9]+(\.[0-9]+)?)|(?P<name>[a-z][a-z0-9_]*)|(?P<word>'[A-Za-z0-9][A-Za-z0-9_.-]*')"
    r"|(?P<sign>!=|<=|>=|[-+*/()=<>,])|(?P<blank> +)|(?P<other>.)"
)
_RESERVED = ("and", "not", "or", "undefined", *FUNCTIONS)
_DEEPEST = 20


def parse(text: str) -> Expression:
    """Return the nodes of an expression; PolicyError EXPRESSION for anything that is not of the language."""
    reader = _Reader(text)
    found = reader.choice()
    if reader.ahead != "":
        raise refusal(f"'{reader.ahead}' stands where nothing is expected; remove it or put an operator before it")
    return found


class _Reader:
    """Reads the tokens from left to right; `ahead` is the next one, empty at the end."""

    def __init__(self, text: str) -> None:
        self.tokens = [(match.lastgroup, match.group()) for match in _TOKEN.finditer(text)]
        self.tokens = [(kind, token) for kind, token in self.tokens if kind != "blank"]
        self.position = 0
        self.depth = 0

    @property
    def ahead(self) -> str:
        """The next token."""
        return self.tokens[self.position][1] if self.position < len(self.tokens) else ""

    def take(self, *wanted: str) -> bool:
        """Pass the next token if it is one of these."""
        found = self.ahead in wanted and self.ahead != ""
        self.position += found
        return found

    def need(self, wanted: str) -> None:
        """Pass the next token, which must be this one."""
        if not self.take(wanted):
            raise refusal(f"'{wanted}' is missing before '{self.ahead or 'the end'}'; add it")

    def chain(self, part: Callable[[], Expression], *operators: str) -> Expression:
        """Read parts joined by operators, from left to right."""
        found = part()
        while self.ahead in operators:
            operator = self.ahead
            self.position += 1
            found = Operation(operator, (found, part()))
        return found

    def choice(self) -> Expression:
        """Read a whole expression; brackets nest no deeper than a reader can follow."""
        if self.depth == _DEEPEST:
            raise refusal("the brackets nest deeper than a reader can follow; split the expression")
        self.depth += 1
        found = self.chain(lambda: self.chain(self.truth, "and"), "or")
        self.depth -= 1
        return found

    def truth(self) -> Expression:
        """Read a comparison, perhaps turned round by `not`."""
        turned = self.take("not")
        found = self.comparison()
        return Operation("not", (found,)) if turned else found

    def comparison(self) -> Expression:
        """Read two sums with a comparison between them, or one alone."""
        left = self.sum()
        operator = self.ahead
        return Operation(operator, (left, self.sum())) if self.take(*COMPARISONS) else left

    def sum(self) -> Expression:
        """Read products that are added and subtracted."""
        return self.chain(lambda: self.chain(self.factor, "*", "/"), "+", "-")

    def factor(self) -> Expression:
        """Read a number, a word, a variable, a function or brackets."""
        kind, text = self.tokens[self.position] if self.ahead else (None, "")
        self.position += 1
        if kind == "number":
            return Number(float(text) if "." in text else int(text))
        if kind == "word":
            return Word(text.strip("'"))
        if text == "undefined":
            return Undefined()
        if text in FUNCTIONS:
            return self.call(text)
        if kind == "name" and text not in _RESERVED:
            return Name(text)
        if text == "(":
            found = self.choice()
            self.need(")")
            return found
        raise refusal(f"'{text or 'the end'}' is not a number, a 'code' or a variable; write one of these here")

    def call(self, function: str) -> Expression:
        """Read the arguments of a function."""
        self.need("(")
        arguments = [self.choice()]
        while self.take(","):
            arguments.append(self.choice())
        self.need(")")
        return Call(function, tuple(arguments))
