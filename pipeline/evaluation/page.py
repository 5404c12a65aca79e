"""One self-contained page of an evaluation: tables with intervals, confusions, calibration, every error in its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from ..evaluate import Comparison, Report
from ..schema import STANCES
from .outcomes import Outcome
from .reliability import Bin
from .rows import Row, buckets, headlines, notes, rows, topic_rows, wrong_labels
from .scores import WRONG_KINDS, Claim
from .tables import interval, lead, percent, runs

_TEMPLATES = Path(__file__).parent / "templates"
_CARDS = (
    ("attribution.overlap:f1", "Attribution F1"),
    ("proponent:f1", "Proponent F1"),
    ("record.whole:f1", "Whole record F1"),
    ("record.core:f1", "Core record F1"),
    ("topic.gold:f1", "Topic micro F1"),
    ("stance.gold:f1", "Stance accuracy"),
    ("mention.strict:f1", "Mentions F1"),
    ("span.predicted.statement.overlap:f1", "Statement F1"),
)
# How many characters of an article are shown around its records before the rest is folded away.
_AROUND = 160


@dataclass(frozen=True)
class Piece:
    """A stretch of an article's text: its mark (gold, predicted, both, none, cut) and what it is, for the pointer."""

    text: str
    mark: str
    title: str


@dataclass(frozen=True)
class Error:
    """An error in words, and the pieces of text around it."""

    kind: str
    who: str
    detail: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a confusion table; `share` of its row shades it."""

    count: int
    share: float
    right: bool


def report_page(report: Report, comparisons: Sequence[Comparison] = ()) -> str:
    """Return the page as HTML; every text of an article in it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "interval": interval}
    shown = list(rows(report))
    by_name = {row.measure.name: row for row in shown}
    articles = [(outcome, list(article_errors(outcome))) for outcome in report.outcomes]
    page = environment.get_template("evaluation.html.j2").render(
        report=report,
        cards=[(title, by_name[name]) for name, title in _CARDS if name in by_name],
        groups=_grouped(shown),
        notes=notes(report),
        comparisons=comparisons,
        comparison_rows=list(_comparison_rows(report, comparisons)),
        buckets=buckets(report),
        wrong=[(kind, report.wrong.get(kind, 0)) for kind in WRONG_KINDS],
        topics=topic_rows(report),
        plots=[(name, found, plot(found.bins)) for name, found in report.calibration.items() if found.count],
        confusions=[
            (name, *confusion_table(cells, STANCES if name == "stance" else ()))
            for name, cells in report.confusions.items()
            if cells
        ],
        articles=[(outcome, errors) for outcome, errors in articles if errors],
    )
    return str(page)


def _grouped(shown: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in shown:
        groups.setdefault(row.group, []).append(row)
    return groups


def _comparison_rows(report: Report, comparisons: Sequence[Comparison]) -> Iterator[tuple[Row, list[tuple[str, str]]]]:
    """Yield the headline figures, each with a cell a comparison: its words, and who is clearly ahead."""
    for row in headlines(report):
        cells = []
        for comparison in comparisons:
            other, difference = comparison.other.figures.get(row.measure), comparison.differences.get(row.measure)
            if not other or not difference:
                cells.append(("", ""))
                continue
            clear = difference.p is not None and difference.p < 0.05 and difference.value
            side = ("ahead" if (difference.value or 0) > 0 else "behind") if clear else ""
            cells.append((lead(other, difference), side))
        yield row, cells


def confusion_table(
    cells: Mapping[tuple[str, str], int], order: Sequence[str] = ()
) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Return the columns and the rows of a confusion table: labels of `order` first, then the most frequent ones."""
    weight: dict[str, int] = {}
    for (gold, predicted), count in cells.items():
        weight[gold] = weight.get(gold, 0) + count
        weight.setdefault(predicted, 0)
    labels = [label for label in order if label in weight]
    rest = sorted((label for label in weight if label not in labels and label != "-"), key=lambda x: (-weight[x], x))
    labels += rest + (["-"] if "-" in weight else [])
    table = []
    for gold in labels:
        counts = [cells.get((gold, predicted), 0) for predicted in labels]
        total = sum(counts) or 1
        table.append((gold, [Cell(n, n / total, gold == other) for n, other in zip(counts, labels, strict=True)]))
    return labels, table


def plot(bins: Sequence[Bin]) -> list[tuple[float, float, float, int]]:
    """Return each bin's place in a drawing of 100 by 100 (y downwards), its radius and its count."""
    most = max((item.count for item in bins), default=1)
    return [
        (
            round(100 * b.score, 2),
            round(100 - 100 * b.accuracy, 2),
            round(1.2 + 2.3 * (b.count / most) ** 0.5, 2),
            b.count,
        )
        for b in bins
    ]


def article_errors(outcome: Outcome) -> Iterator[Error]:
    """Yield the errors of an article with their text: missed and wrong records, and those with a wrong label."""
    for index in outcome.missed:
        claim = outcome.gold[index]
        yield Error("missed", claim.proponent.name, ", ".join(claim.traits), pieces(outcome, claim))
    for index, kind in sorted(outcome.wrong.items()):
        claim = outcome.predicted[index]
        yield Error(kind, claim.proponent.name, f"score {claim.score:.2f}", pieces(outcome, claim))
    for gold, wrong in wrong_labels(outcome):
        yield Error("wrong label", gold.proponent.name, " · ".join(wrong), pieces(outcome, gold))


def pieces(outcome: Outcome, claim: Claim) -> tuple[Piece, ...]:
    """Return the text around a record, with everything gold and predicted in it marked."""
    text = outcome.text
    start = max(0, min(a for a, _ in claim.spans) - _AROUND)
    end = min(len(text), max(b for _, b in claim.spans) + _AROUND)
    return (
        ((Piece("… ", "cut", ""),) if start else ())
        + marked(outcome, start, end)
        + ((Piece(" …", "cut", ""),) if end < len(text) else ())
    )


def marked(outcome: Outcome, start: int = 0, end: int | None = None) -> tuple[Piece, ...]:
    """Return an article's text, or a stretch of it, as pieces."""
    end = len(outcome.text) if end is None else end
    gold, predicted = (_owners(claims) for claims in (outcome.asked, outcome.predicted))
    found = []
    marks = {(True, True): "both", (True, False): "gold", (False, True): "predicted", (False, False): "none"}
    inside = ({at - start for at in owners if start <= at < end} for owners in (gold, predicted))
    for first, last, in_gold, in_predicted in runs(end - start, *inside):
        at = start + first
        titles = [f"gold: {gold[at]}"] if in_gold else []
        titles += [f"predicted: {predicted[at]}"] if in_predicted else []
        found.append(Piece(outcome.text[at : start + last], marks[in_gold, in_predicted], ", ".join(titles)))
    return tuple(found)


def _owners(claims: Sequence[Claim]) -> dict[int, str]:
    owners: dict[int, list[str]] = {}
    for claim in claims:
        for start, end in claim.spans:
            for at in range(start, end):
                owners.setdefault(at, []).append(claim.proponent.name)
    return {at: " and ".join(dict.fromkeys(names)) for at, names in owners.items()}
