"""Templates: escaped by default, strict about what is missing, and careful with what people wrote."""

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from enclave.web import texts
from enclave.web.language import LANGUAGES, Language
from enclave.web.style import style_name

NAMES = {"nl": "Nederlands", "fr": "Français", "en": "English"}


@cache
def environment(code: str) -> Environment:
    """Return the templates in one language."""
    made = Environment(
        loader=PackageLoader("enclave.web"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    language = Language(code)
    made.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(free=free)
    made.globals.update(
        language=language,
        languages=[(other, NAMES[other]) for other in LANGUAGES],
        style_name=style_name(),
        texts=texts,
        say=language.say,
    )
    return made


def render(language: Language, template: str, values: Mapping[str, Any]) -> str:
    """Return a page."""
    return environment(language.code).get_template(template).render(values)


def free(text: str) -> Markup:
    """Return what a person wrote: escaped, its direction kept to itself, invisible characters made visible."""
    seen = "".join(_seen(character) for character in text)
    return Markup("<bdi>{}</bdi>").format(Markup("<br>").join(escape(line) for line in seen.split("\n")))


def _seen(character: str) -> str:
    hidden = character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return f"[U+{ord(character):04X}]" if hidden else character
