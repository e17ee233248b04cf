"""Dutch, French and English: messages from .po files, numbers and dates as each language writes them."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta, get_timezone
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from enclave.policy.typography import unbroken

LANGUAGES = ("nl", "fr", "en")
"""The first is what a browser gets that asks for none of them."""

FOLDER = Path(__file__).parent / "translations"
HOUSE_TIME = get_timezone("Europe/Brussels")


def N_(message: str) -> str:  # noqa: N802  the name by which messages are found
    """Mark a message that is translated later."""
    return message


@dataclass(frozen=True)
class Language:
    """One language with everything that depends on it."""

    code: str

    @cached_property
    def locale(self) -> Locale:
        """The language as it is written in Belgium; English as in Britain."""
        return Locale(self.code, "GB" if self.code == "en" else "BE")

    @cached_property
    def translations(self) -> NullTranslations:
        """The messages; English is what stands in the code."""
        if self.code == "en":
            return NullTranslations()
        with (FOLDER / f"{self.code}.po").open("rb") as file:
            catalog = read_po(file, locale=self.code)
        if self.code == "fr":
            for message in catalog:
                message.string = unbroken(str(message.string))
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        compiled.seek(0)
        return Translations(compiled)

    def say(self, message: str) -> str:
        """Return a message in this language."""
        return str(self.translations.ugettext(message))

    def number(self, value: int, decimals: int = 0) -> str:
        """Return a whole number that was scaled by 10**decimals."""
        pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "")
        return format_decimal(value / 10**decimals if decimals else value, format=pattern, locale=self.locale)

    def moment(self, at: datetime) -> str:
        """Return date and time, as the clock in the building shows it."""
        return format_datetime(at, "d MMM y, HH:mm", tzinfo=HOUSE_TIME, locale=self.locale)

    def day(self, day: date) -> str:
        """Return a date."""
        return format_date(day, "d MMMM y", locale=self.locale)

    def age(self, since: datetime) -> str:
        """Return how long ago something was, in one unit."""
        return format_timedelta(datetime.now(UTC) - since, locale=self.locale, threshold=1.2)

    def quarter(self, period: str) -> str:
        """Return a period such as 2009-Q2 in words."""
        year, _, quarter = period.partition("-Q")
        return self.say(N_("quarter {number} of {year}")).format(number=quarter, year=year) if quarter else period

    def pick(self, words: Mapping[str, str]) -> str:
        """Return this language's text of three."""
        return words[self.code]


ALL: Mapping[str, Language] = {code: Language(code) for code in LANGUAGES}


def chosen(cookie: str | None, accept: str) -> Language:
    """Return the language of the cookie, else the first that a browser asks for and we have."""
    if cookie in ALL:
        return ALL[str(cookie)]
    for code in _asked(accept):
        if code in ALL:
            return ALL[code]
    return ALL[LANGUAGES[0]]


def _asked(accept: str) -> list[str]:
    """Return the languages of an Accept-Language header, the dearest first."""
    weighed = []
    for place, part in enumerate(accept[:500].split(",")):
        name, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            weighed.append((-(float(weight) if weight else 1.0), place, name.strip().lower()[:2]))
        except ValueError:
            continue
    return [code for _, _, code in sorted(weighed)]
