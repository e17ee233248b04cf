"""The real classifications, and the smallest world written once for all tests: two years, with and without bad rows."""

from pathlib import Path

import pytest

from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import Preset
from enclave.synthetic.references import References
from tests.lib import made_up


@pytest.fixture(scope="session")
def classifications() -> dict[str, str]:
    return made_up.classification_texts()


@pytest.fixture(scope="session")
def references() -> References:
    return made_up.references()


@pytest.fixture(scope="session")
def tiny(references: References, tmp_path_factory: pytest.TempPathFactory) -> made_up.DeliveryFolder:
    written: dict[tuple[int, int, bool], Path] = {}

    def folder(*, year: int = 2016, seed: int = 7, with_faults: bool = True) -> Path:
        key = (year, seed, with_faults)
        if key not in written:
            written[key] = tmp_path_factory.mktemp("deliveries")
            write_deliveries(
                Preset.TINY,
                written[key],
                year=year,
                seed=seed,
                references=references,
                progress=lambda _: None,
                with_faults=with_faults,
            )
        return written[key]

    return folder
