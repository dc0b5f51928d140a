"""The table of faults names tests that exist, and leaves out no row that it should have."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROWS = {*range(1, 18), *range(29, 38)}


def test_each_fault_is_proved_by_tests_that_exist(root: Path) -> None:
    proofs: dict[int, list[str]] = {}
    for line in (root / "docs/reference/faults.md").read_text().splitlines():
        if row := re.match(r"\| (\d+) \|", line):
            proofs[int(row[1])] = re.findall(r"`(tests/[^`]+)`", line)
    assert set(proofs) == ROWS
    for row, names in proofs.items():
        assert names, f"row {row} names no test"
        for name in names:
            path, _, function = name.partition("::")
            tree = ast.parse((root / path).read_text())
            functions = {one.name for one in tree.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
            assert function in functions, f"row {row}: {name}"
