"""How French sets its signs: the space before them does not break, so that no line begins with one."""

import re

_SPACE_BEFORE_SIGN = re.compile(r" (?=[;:?!»])|(?<=«) ")


def unbroken(text: str) -> str:
    """Return a French text whose spaces beside ; : ? ! and quotation marks do not break."""
    return _SPACE_BEFORE_SIGN.sub("\u00a0", text)
