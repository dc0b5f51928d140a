"""A report as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from modembank.selftest.result import Report


def to_json(report: Report) -> str:
    """Return the report with everything that was measured; names and units are those of `result.py`."""
    return json.dumps({"verdict": report.verdict, **asdict(report)}, ensure_ascii=False, indent=2) + "\n"
