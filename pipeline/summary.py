"""What a run did and what the store holds, for people to read."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .schema import STANCES
from .store import Summary


def summary_view(summary: Summary) -> Group:
    """Return the counts of a run and the table of topics and stances of the whole store."""
    undated = [("undated", f"{summary.undated} of the articles in the store have no session year")]
    counts = Table.grid(padding=(0, 2))
    for name, value in (
        (
            "articles",
            f"{summary.articles} in the store; this run wrote {summary.written}, left {summary.unchanged} as is",
        ),
        # Charts group by session year; where all have one, nothing is said.
        *(undated if summary.undated else []),
        ("records", str(summary.records)),
        ("delegates", str(summary.delegates)),
        ("failures", f"{len(summary.failures)}" + (", each named above" if summary.failures else "")),
    ):
        counts.add_row(Text(name, style="bold"), value)
    parts: list[RenderableType] = [counts]
    if summary.topics:
        parts.append(_topics(summary))
    return Group(*parts)


def _topics(summary: Summary) -> Table:
    table = Table(title="records by topic and stance")
    table.add_column("topic")
    for stance in STANCES:
        table.add_column(stance, justify="right")
    table.add_column("all", justify="right")
    counts: dict[str, dict[str, int]] = {}
    for topic, label, count in summary.topics:
        counts.setdefault(topic, {})[label] = count
    for topic in sorted(counts, key=lambda label: -sum(counts[label].values())):
        row = counts[topic]
        table.add_row(Text(topic), *(str(row.get(stance, "")) for stance in STANCES), str(sum(row.values())))
    return table
