"""Standing phrases of a release, in nl, fr and en."""

from enclave.ledger.release_content import Stage
from enclave.sdc.words import Words

STAMP = Words(
    "SYNTHETIC - verzonnen gegevens, geen echte personen",
    "SYNTHETIC - données inventées, aucune personne réelle",
    "SYNTHETIC - made-up data, no real persons",
)

AUDIENCE = {
    Stage.INSIDE: Words(
        "Alleen in het gebouw te gebruiken; wat ervan naar buiten gaat, vraagt een tweede controle.",
        "À utiliser uniquement dans le bâtiment ; ce qui en sort demande un second contrôle.",
        "For use inside the building only; what leaves it needs a second check.",
    ),
    Stage.OUTSIDE: Words(
        "Gecontroleerde resultaten die het gebouw mogen verlaten.",
        "Résultats contrôlés qui peuvent quitter le bâtiment.",
        "Checked results that may leave the building.",
    ),
}

STATUSES = {
    "Z": Words("nul die niet anders kan zijn", "zéro qui ne peut être autre", "a zero that cannot be otherwise"),
    "N": Words("niet van toepassing", "sans objet", "not applicable"),
    "L": Words("ontbreekt", "manquant", "missing"),
}

HIDDEN_CELLS = Words(
    "Een totaal dat getoond wordt, telt ook de cellen mee die verborgen zijn.",
    "Un total affiché comprend aussi les cellules masquées.",
    "A total that is shown includes the cells that are hidden.",
)

HEADINGS = {
    "project": Words("Project", "Projet", "Project"),
    "policy": Words("Beleid", "Politique", "Policy"),
    "legend": Words("Legende", "Légende", "Legend"),
    "tables": Words("Tabellen", "Tableaux", "Tables"),
    "notes": Words("Opmerkingen", "Remarques", "Notes"),
    "variable": Words("Variabele", "Variable", "Variable"),
}
