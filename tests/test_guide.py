"""The table that answers the guide of 2020 names tests that are there."""

import re

from templates import ROOT

NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_row_names_tests_that_exist() -> None:
    rows = [line for line in (ROOT / "docs" / "guide.md").read_text().splitlines() if re.match(r"\| [\d.]+ \|", line)]
    assert {row.split("|")[1].strip() for row in rows} == {"1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "3"}
    for row in rows:
        named = NAMED.findall(row)
        assert named, row
        for file, test in named:
            assert f"def {test}(" in (ROOT / "tests" / file).read_text(), f"{file}::{test}"
