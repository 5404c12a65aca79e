"""What `twosessions evaluate` prints: the figures, the comparisons, the buckets and, asked for, every error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..evaluate import Comparison, Report
from .intervals import Difference, Estimate
from .outcomes import Outcome
from .rows import buckets, headlines, notes, rows, topic_rows, wrong_labels
from .scores import WRONG_KINDS, Claim

# A gold span, a predicted one, and one that is both.
_GOLD, _PREDICTED, _BOTH = "green underline", "on dark_red", "on dark_green"


def report_view(report: Report, comparisons: Sequence[Comparison] = ()) -> Group:
    """Return the tables of a report and of its comparisons."""
    parts: list[RenderableType] = [figures_table(report)]
    parts += [Text(note, style="dim") for note in notes(report)]
    if comparisons:
        parts += [Text(), comparison_table(report, comparisons)]
    errors = calibration_errors(report)
    if report.risk:
        parts += [Text(), error_table(report), Text(), calibration_table(report)]
    elif errors:
        parts += [Text(), Text(errors)]
    topics = topic_rows(report)
    if topics:
        parts += [Text(), topics_table(report)]
    if report.left_out:
        parts += [Text(), Text("Left out: " + "; ".join(report.left_out), style="dim")]
    return Group(*parts)


def figures_table(report: Report) -> Table:
    """Return all figures with their intervals and counts."""
    # Names of files and labels may hold brackets, which would be read as markup.
    table = Table(title=escape(f"{report.system} on {report.data}, {len(report.outcomes)} articles"))
    table.add_column("figure")
    for head in ("%", "95 %", "precision", "recall", "right", "gold", "given"):
        table.add_column(head, justify="right")
    group = None
    for row in rows(report):
        if row.group != group:
            table.add_section()
            table.add_row(Text(row.group, style="bold"))
            group = row.group
        tally = (row.tally.right, row.tally.gold, row.tally.predicted) if row.tally else (None, None, None)
        table.add_row(
            row.name,
            Text(percent(row.estimate.value), style="bold"),
            interval(row.estimate),
            percent(row.precision),
            percent(row.recall),
            *("" if count is None else f"{count:.0f}" for count in tally),
        )
    return table


def comparison_table(report: Report, comparisons: Sequence[Comparison]) -> Table:
    """Return the headline figures of all systems, and how far the first is ahead of each other one."""
    table = Table(title=escape(f"{report.system} against others: their figure, the lead over it, 95 %, p"))
    table.add_column("figure")
    for system in (report.system, *(comparison.other.system for comparison in comparisons)):
        table.add_column(escape(system), justify="right")
    for row in headlines(report):
        cells = []
        for comparison in comparisons:
            other, difference = comparison.other.figures.get(row.measure), comparison.differences.get(row.measure)
            cells.append(lead(other, difference) if other and difference else "")
        table.add_row(f"{row.group}: {row.name}", Text(percent(row.estimate.value), style="bold"), *cells)
    return table


def lead(other: Estimate, difference: Difference) -> str:
    """Return another system's figure and the lead over it in one line; only that it is the same where it must be."""
    if difference.value is None:
        return percent(other.value)
    if difference.value == difference.low == difference.high == 0:
        return "the same"
    p = "" if difference.p is None else f", p={difference.p:.3f}"
    return f"{percent(other.value)} ({100 * difference.value:+.1f}: {interval(difference)}{p})"


def error_table(report: Report) -> Table:
    """Return the recall of each kind of gold record, and how many wrong records of each kind there are."""
    table = Table(title="Where the errors are")
    for head in ("records", "%", "95 %", "count"):
        table.add_column(head, justify="left" if head == "records" else "right")
    for name, found, tally in buckets(report):
        table.add_row(f"found of: {name}", percent(found.value), interval(found), f"{tally.right:.0f}/{tally.gold:.0f}")
    table.add_section()
    for kind in WRONG_KINDS:
        table.add_row(f"wrong: {kind}", "", "", str(report.wrong.get(kind, 0)))
    return table


def calibration_table(report: Report) -> Table:
    """Return the calibration errors and the trade of recall for precision by a minimum score."""
    table = Table(title=f"{calibration_errors(report)}\nRecords at a minimum score".lstrip())
    for head in ("minimum", "coverage", "precision", "recall"):
        table.add_column(head, justify="right")
    for point in report.risk:
        cells = (point.coverage, point.precision, point.recall)
        table.add_row(f"{point.threshold:.2f}", *(percent(value) for value in cells))
    return table


def calibration_errors(report: Report) -> str:
    """Return the calibration error of each kind of score in one line; nothing where none was given."""
    errors = [
        f"{name} {100 * found.ece:.1f} ({found.count})"
        for name, found in report.calibration.items()
        if found.ece is not None
    ]
    return f"Calibration: ECE % over 10 bins of equal mass: {', '.join(errors)}" if errors else ""


def topics_table(report: Report) -> Table:
    """Return the F1 of each topic on gold spans."""
    table = Table(title="Topics on gold spans")
    for head in ("topic", "F1 %", "95 %", "right", "gold", "given"):
        table.add_column(head, justify="left" if head == "topic" else "right")
    for name, found, tally in topic_rows(report):
        counts = (f"{count:.0f}" for count in (tally.right, tally.gold, tally.predicted))
        table.add_row(escape(name), percent(found.value), interval(found), *counts)
    return table


def errors_view(report: Report) -> Iterator[RenderableType]:
    """Yield each article with errors: its text with gold and predicted records marked, then the errors in words."""
    legend = Text("gold", style=_GOLD) + Text("  ") + Text("predicted", style=_PREDICTED) + Text("  ")
    yield legend + Text("both", style=_BOTH)
    for outcome in report.outcomes:
        lines = list(error_lines(outcome))
        if lines:
            # As text: a title that is a string is read as markup.
            yield Rule(Text(outcome.id))
            yield marked(outcome)
            for kind, words in lines:
                yield Text(f"  {kind}: ", style="bold red") + Text(words, style="not bold default")


def marked(outcome: Outcome) -> Text:
    """Return an article's text with its gold and predicted records marked."""
    text = Text(outcome.text)
    gold, predicted = (
        {at for claim in claims for start, end in claim.spans for at in range(start, end)}
        for claims in (outcome.asked, outcome.predicted)
    )
    for start, end, in_gold, in_predicted in runs(len(outcome.text), gold, predicted):
        if in_gold or in_predicted:
            text.stylize(_BOTH if in_gold and in_predicted else _GOLD if in_gold else _PREDICTED, start, end)
    return text


def runs(length: int, gold: set[int], predicted: set[int]) -> Iterator[tuple[int, int, bool, bool]]:
    """Yield the stretches of a text in which being gold and being predicted do not change."""
    start = 0
    for at in range(1, length + 1):
        state = (start in gold, start in predicted)
        if at == length or (at in gold, at in predicted) != state:
            yield start, at, *state
            start = at


def error_lines(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield the errors of an article, each as its kind and what it is about."""
    for index in outcome.missed:
        yield "missed", _words(outcome, outcome.gold[index])
    for index, kind in sorted(outcome.wrong.items()):
        yield kind, _words(outcome, outcome.predicted[index])
    found = "found, but " if outcome.gold else ""
    for gold, wrong in wrong_labels(outcome):
        for words in wrong:
            yield f"{found}wrong {words.split(':')[0]}", f"{gold.proponent.name}: {words.split(': ', 1)[1]}"


def _words(outcome: Outcome, claim: Claim) -> str:
    quoted = " … ".join(" ".join(outcome.text[start:end].split()) for start, end in claim.spans)
    return f"{claim.proponent.name}: {quoted}" + (f" [{', '.join(claim.traits)}]" if claim.traits else "")


def percent(value: float | None) -> str:
    """Return a share in percent with one decimal; a dash where it is undefined."""
    return "–" if value is None else f"{100 * value:.1f}"


def interval(found: Estimate | Difference) -> str:
    """Return an interval in percent; nothing where there is none."""
    return "" if found.low is None or found.high is None else f"{100 * found.low:.1f} to {100 * found.high:.1f}"
