"""The tables of advice 17/17 and their classifications, as benches count and protect them."""

from pathlib import Path

from enclave.policy.codelist import Codelist
from enclave.sdc.table import Variable

CODE_LISTS = Path(__file__).parents[2] / "policies" / "classifications"
LIST_OF = {
    "group": "groups",
    "cluster": "clusters",
    "sex": "sex",
    "region": "regions",
    "household": "lipro",
    "origin": "origin",
    "position": "positions",
}
TABLES = (
    ("group", "position"),
    ("cluster", "position"),
    ("sex", "region", "position"),
    ("household", "region", "position"),
    ("origin", "region", "position"),
    ("sex", "household", "region", "position"),
)


def variables() -> dict[str, Variable]:
    """Return every variable of the tables with its classification."""
    lists = {
        name: Codelist.from_csv(name, (CODE_LISTS / f"{name}.csv").read_text("utf-8")) for name in LIST_OF.values()
    }
    return {variable: Variable(variable, (lists[name].hierarchy(),)) for variable, name in LIST_OF.items()}
