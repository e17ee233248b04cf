from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from enclave.errors import RequestError
from enclave.ledger.report import CellCounts, ProtectionReport, report_files

REPORT = ProtectionReport(
    title="Advice 17/17 <2016>",
    synthetic=True,
    tables=(CellCounts("t1", 200, 10, 6), CellCounts("t2", 1000, 100, 150)),
    together=CellCounts("together", 1100, 105, 152),
    seconds=(("tabulate", 2.04), ("protect", 100.0)),
    cells_attacked=257,
    attack_passed=True,
    deterministic=True,
)


def test_it_tells_cells_shares_and_seconds() -> None:
    page = report_files(REPORT)["protection.html"].decode()
    assert "<td>t2</td><td>1,000</td><td>750</td><td>100</td><td>150</td><td>250</td><td>25.0%</td>" in page
    assert "<td>together</td><td>102.0</td>" in page
    assert "tried 257 hidden cells and found nothing" in page
    assert "SYNTHETIC" in page
    assert "&lt;2016&gt;" in page


def test_the_plot_is_svg_with_one_label_per_table() -> None:
    svg = ET.fromstring(report_files(REPORT)["protection.svg"])
    texts = [element.text for element in svg.iter() if element.tag.endswith("}text")]
    assert {"t1", "t2", "shown", "secondary", "primary"} <= set(texts)


def test_the_same_figures_give_the_same_bytes() -> None:
    assert report_files(REPORT) == report_files(REPORT)


def test_a_failed_attack_is_shouted() -> None:
    failed = replace(REPORT, synthetic=False, attack_passed=False, deterministic=False)
    page = report_files(failed)["protection.html"].decode()
    assert "FOUND SOMETHING" in page
    assert "not surely the same" in page
    assert "SYNTHETIC" not in page


@pytest.mark.parametrize("counts", [(0, 0, 0), (10, -1, 0), (10, 6, 5)])
def test_counts_that_do_not_add_up_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(RequestError, match="REPORT_COUNTS"):
        CellCounts("t1", *counts)
