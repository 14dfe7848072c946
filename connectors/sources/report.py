"""What an import amounts to: events, what was refused, and each file's rows accounted for.

In: filled by the import. Out: `Imported`; `as_dict` is the report of `belfry import --json`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from belfry.connectors.quarantine import QuarantineRecord


@dataclass(slots=True)
class FileReport:
    """What became of one file's rows."""

    file: str
    role: str
    rows: int = 0
    events: int = 0
    skipped: int = 0
    quarantined: int = 0
    unused: int = 0


@dataclass(slots=True)
class Imported:
    """All of one import. `files` are the (source, file) pairs that were read."""

    source: str
    events: list[bytes] = field(default_factory=list)
    quarantined: list[QuarantineRecord] = field(default_factory=list)
    reports: list[FileReport] = field(default_factory=list)
    by_type: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    not_used: list[str] = field(default_factory=list)
    first: dt.datetime | None = None
    last: dt.datetime | None = None

    @property
    def files(self) -> frozenset[tuple[str, str]]:
        """What quarantine renews."""
        return frozenset((self.source, one.file) for one in self.reports)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        reasons = Counter(record.reason for record in self.quarantined)
        return {
            "schema": "belfry.import/1",
            "source": self.source,
            "rows": sum(one.rows for one in self.reports),
            "events": len(self.events),
            "skipped": sum(one.skipped for one in self.reports),
            "quarantined": len(self.quarantined),
            "by_type": dict(sorted(self.by_type.items())),
            "quarantined_by_reason": dict(sorted(reasons.items())),
            "values_left_out": dict(sorted(self.left_out.items())),
            "time": {"first": self.first, "last": self.last},
            "files": [dataclasses.asdict(one) for one in self.reports],
            "files_not_used": self.not_used,
        }
