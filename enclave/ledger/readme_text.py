"""`README.txt`: what a release is and how to verify it, in nl, fr and en."""

import textwrap

from enclave.ledger.release_content import ReleaseContent
from enclave.ledger.release_words import AUDIENCE, HIDDEN_CELLS, STAMP, STATUSES
from enclave.sdc.words import LANGUAGES, Words

_WIDTH = 100

_FILES = (
    ("tables.xlsx", Words("de tabellen, voor mensen", "les tableaux, pour la lecture", "the tables, for people")),
    (
        "tables/*.csv",
        Words("dezelfde tabellen, voor programma's", "les mêmes, pour les programmes", "the same, for programs"),
    ),
    ("codelists/*.csv", Words("codes en hun betekenis", "codes et leur signification", "codes and what they mean")),
    (
        "metadata.json",
        Words("beschrijving van de tabellen (CSVW)", "description des tableaux (CSVW)", "description (CSVW)"),
    ),
    ("manifest.json", Words("herkomst, regels, hashes", "origine, règles, empreintes", "origin, rules, hashes")),
    ("manifest.json.sig", Words("handtekening (Ed25519)", "signature (Ed25519)", "signature (Ed25519)")),
)

_ABOUT = Words(
    "Deze map is één vrijgave: gecontroleerde tabellen, eenmaal gemaakt en nooit gewijzigd. Kleine aantallen zijn"
    " verborgen, samen met de cellen waaruit ze zouden kunnen worden afgeleid.",
    "Ce dossier est une diffusion : des tableaux contrôlés, produits une fois et jamais modifiés. Les petits nombres"
    " sont masqués, ainsi que les cellules dont on pourrait les déduire.",
    "This folder is one release: checked tables, made once and never changed. Small numbers are hidden, together with"
    " the cells from which they could be worked out.",
)

_VERIFY = Words(
    "Nagaan of niets is gewijzigd (verify_release.py en de publieke sleutel krijgt u apart van deze map; nodig zijn"
    " enkel Python 3.11 en het pakket cryptography):",
    "Vérifier que rien n'a été modifié (verify_release.py et la clé publique vous parviennent séparément de ce"
    " dossier ; seuls Python 3.11 et le paquet cryptography sont requis) :",
    "To verify that nothing was changed (verify_release.py and the public key reach you apart from this folder; it"
    " takes only Python 3.11 and the package cryptography):",
)

_COMMAND = "    python3 verify_release.py FOLDER --key PUBLIC_KEY.pem"


def readme(content: ReleaseContent) -> bytes:
    """Return the text: one part per language, each complete by itself."""
    parts = ["\n".join(_part(content, language)) for language in range(len(LANGUAGES))]
    rule = "\n\n" + "-" * _WIDTH + "\n\n"
    return (rule.join(parts) + "\n").encode()


def _part(content: ReleaseContent, language: int) -> list[str]:
    policy = content.policy
    lines = [f"*** {STAMP.all[language]} ***", ""] if content.synthetic else []
    lines += [content.title.all[language], ""]
    lines += _wrapped(f"{_ABOUT.all[language]} {AUDIENCE[content.stage].all[language]}")
    lines += ["", f"{policy.id}: {policy.decision} ({policy.dossier}), v{policy.version}", ""]
    lines += [f"  {path:<18} {words.all[language]}" for path, words in _FILES]
    lines += ["", *(f"  {code:<3} {words.all[language]}" for code, words in _legend(content)), ""]
    lines += _wrapped(HIDDEN_CELLS.all[language])
    for note in content.notes:
        lines += _wrapped(note.all[language])
    return [*lines, "", *_wrapped(_VERIFY.all[language]), "", _COMMAND]


def _legend(content: ReleaseContent) -> list[tuple[str, Words]]:
    return [*((meaning.mark.code, meaning.meaning) for meaning in content.marks), *STATUSES.items()]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH)
