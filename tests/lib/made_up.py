"""The real classifications of the house, as the made-up world needs them."""

from pathlib import Path
from typing import Protocol

from enclave.synthetic.references import References

CLASSIFICATIONS = Path(__file__).parents[2] / "policies" / "classifications"


class DeliveryFolder(Protocol):
    """Writes made-up deliveries at the smallest size, once for each combination of arguments."""

    def __call__(self, *, year: int = 2016, seed: int = 7, with_faults: bool = True) -> Path:
        """Return the folder."""
        ...


def classification_texts() -> dict[str, str]:
    """Return the text of each classification by file name without `.csv`."""
    paths = [*CLASSIFICATIONS.glob("*.csv"), *(CLASSIFICATIONS / "tables").glob("*.csv")]
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def references() -> References:
    """Return the real reference tables."""
    return References.from_csv(classification_texts())
