"""Rules and need of a `PROBLEM.yaml`."""

from enclave.sdc.contributions import ContributionRules, Dominance
from enclave.sdc.need import Need, NeedKind
from enclave.wiring.protect_tables.entries import Entries


def read_rules(entries: Entries) -> tuple[ContributionRules, str | None]:
    """Return the rules, and the column of primary cells where it is named among them."""
    if not entries.has("rules"):
        return ContributionRules(), None
    inside = entries.inside("rules")
    inside.only("minimum_frequency", "dominance", "p_percent", "minimum_holdings", "primary")
    rules = ContributionRules(
        minimum_frequency=inside.whole("minimum_frequency"),
        dominance=_dominance(inside) if inside.has("dominance") else None,
        p_percent=inside.fraction("p_percent"),
        minimum_holdings=inside.whole("minimum_holdings"),
    )
    return rules, inside.text("primary")


def _dominance(entries: Entries) -> Dominance:
    inside = entries.inside("dominance")
    inside.only("n", "k")
    n, k = inside.whole("n"), inside.fraction("k")
    if n is None or k is None:
        raise entries.error("dominance", "dominance needs n and k, such as {n: 1, k: 85}")
    return Dominance(n, k)


def read_need(entries: Entries) -> Need:
    """Return the need; that of counts where none is given."""
    if not entries.has("need"):
        return Need(NeedKind.THRESHOLD)
    inside = entries.inside("need")
    inside.only("kind", "percent")
    kind = inside.choice("kind", NeedKind, NeedKind.THRESHOLD)
    percent = inside.fraction("percent")
    if (percent is None) == (kind is NeedKind.INTERVAL):
        raise inside.error("percent", "a need of kind interval has a percent, such as 10; other kinds have none")
    return Need(kind, percent)
