"""The page of an evaluation: self-contained, escaped, with every error in its text."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

from pipeline.evaluate import Report, compare_reports, measures
from pipeline.evaluation.intervals import count_articles, estimate
from pipeline.evaluation.outcomes import Outcome
from pipeline.evaluation.page import article_errors, confusion_table, marked, plot, report_page
from pipeline.evaluation.reliability import Bin, Judgement, calibrate, risk_coverage
from pipeline.evaluation.rows import NOTES, label_errors
from pipeline.evaluation.scores import (
    Claim,
    Party,
    attribution_tallies,
    match_claims,
    stance_confusions,
    stance_tallies,
    topic_confusions,
    topic_tallies,
    wrong_predictions,
)
from pipeline.evaluation.tables import error_lines, errors_view, report_view, runs

TEXT = "Ma <script>alert(1)</script> urged a ban on coins. Li & Co said no. Bo wants more schools."


def claim(name: str, words: str, topic: str, stance: str) -> Claim:
    start = TEXT.index(words)
    return Claim(Party(name), ((start, start + len(words)),), "NPC", topics=(topic,), stance=stance, score=0.8)


GOLD = (claim("Ma <b>", "a ban on coins", "fintech", "regulate"), claim("Bo", "more schools", "education", "promote"))
PREDICTED = (claim("Ma <b>", "a ban on coins", "data", "promote"), claim("Li", "Li & Co said no", "data", "neither"))


def make_report(system: str = "sys<tem>") -> Report:
    matches = match_claims(TEXT, GOLD, PREDICTED)
    pairs = [(GOLD[m.gold], PREDICTED[m.predicted]) for m in matches if m.found]
    tallies = attribution_tallies(TEXT, GOLD, PREDICTED, matches)
    tallies |= topic_tallies("topic.gold", pairs) | stance_tallies("stance.gold", pairs)
    wrong = wrong_predictions(TEXT, GOLD, PREDICTED, matches)
    outcome = Outcome("doc<1>", TEXT, GOLD, PREDICTED, matches, wrong, tallies, tuple(pairs))
    counts = count_articles([tallies])
    records = [Judgement(0.8, True), Judgement(0.8, False)]
    return Report(
        system=system,
        data="se&t",
        figures=estimate(counts, measures(counts), resamples=10),
        counts=counts,
        outcomes=(outcome,),
        wrong={"look-alike speaker": 1},
        calibration={"records": calibrate(records)},
        risk=risk_coverage(records, 2),
        confusions={"stance": stance_confusions(pairs), "topics": topic_confusions(pairs)},
        left_out=("things <left>",),
    )


def test_the_page_escapes_the_article_and_every_name() -> None:
    page = report_page(make_report())
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for raw in ("Ma <b>", "sys<tem>", "doc<1>", "<left>"):
        assert raw not in page
    assert "Li &amp; Co" in page


def test_the_page_needs_no_network() -> None:
    page = report_page(make_report())
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?://", page)
    assert page.count("<svg") == 1


def test_every_error_stands_in_its_text() -> None:
    page = report_page(make_report())
    kinds = re.findall(r'<span class="kind">([^<]+)</span>', page)
    assert kinds == ["missed", "look-alike speaker", "wrong label"]
    assert "topics: +data -fintech" in page
    assert "stance: promote, not regulate" in page
    assert '<mark class="gold" title="gold: Bo">more schools</mark>' in page


def test_the_page_says_what_a_whole_record_is() -> None:
    page = report_page(make_report())
    assert all(note in page for note in NOTES.values())
    report = make_report()
    figures = {measure: found for measure, found in report.figures.items() if measure.key != "record.core"}
    assert "core: found" not in report_page(replace(report, figures=figures))


def test_comparisons_are_shown() -> None:
    report = make_report()
    page = report_page(report, [compare_reports(report, make_report("other"), resamples=10)])
    assert "Against other systems" in page
    assert "<th>other</th>" in page


def test_the_marked_text_is_the_whole_text() -> None:
    (outcome,) = make_report().outcomes
    found = marked(outcome)
    assert "".join(piece.text for piece in found) == TEXT
    assert {piece.text: piece.mark for piece in found if piece.mark != "none"} == {
        "a ban on coins": "both",
        "Li & Co said no": "predicted",
        "more schools": "gold",
    }


def test_runs_cover_a_text_once() -> None:
    assert list(runs(5, {1, 2}, {2, 3})) == [
        (0, 1, False, False),
        (1, 2, True, False),
        (2, 3, True, True),
        (3, 4, False, True),
        (4, 5, False, False),
    ]
    assert list(runs(0, set(), set())) == []


def test_confusions_and_plots_are_laid_out() -> None:
    columns, table = confusion_table({("a", "a"): 3, ("a", "b"): 1, ("-", "b"): 2}, ("b", "a"))
    assert columns == ["b", "a", "-"]
    assert [(label, [cell.count for cell in cells]) for label, cells in table] == [
        ("b", [0, 0, 0]),
        ("a", [1, 3, 0]),
        ("-", [2, 0, 0]),
    ]
    assert table[1][1][1].share == 0.75
    assert plot([Bin(4, 0.25, 0.5)]) == [(25, 50, 3.5, 4)]


def test_the_terminal_shows_the_same_errors() -> None:
    from rich.console import Console

    made = make_report("sys[/tem]")
    report = replace(made, data="se[t]", outcomes=(replace(made.outcomes[0], id="doc[/1]"),))
    assert [kind for kind, _ in error_lines(report.outcomes[0])] == [
        "missed",
        "look-alike speaker",
        "found, but wrong topics",
        "found, but wrong stance",
    ]
    console = Console(width=140, record=True, file=StringIO())
    console.print(report_view(report, [compare_reports(report, report, resamples=10)]))
    for part in errors_view(report):
        console.print(part)
    text = console.export_text()
    assert "Records, overlap ≥ 0.5" in text
    assert "sys[/tem] on se[t], 1 articles" in text
    assert "doc[/1]" in text
    assert "things <left>" in text
    assert "Whole record: found" in text
    assert "Whole record, core: found" in text
    assert "missed: Bo: more schools" in text


def test_errors_of_the_last_stage_alone_stand_at_the_records_that_it_was_given() -> None:
    from rich.console import Console

    report = make_report()
    (outcome,) = report.outcomes
    # Of the classes alone the body and the posts are not said.
    pairs = tuple((gold, replace(predicted, body=None)) for gold, predicted in outcome.on_gold)
    outcome = replace(outcome, gold=(), predicted=(), matches=(), wrong={}, on_gold=pairs)
    assert list(error_lines(outcome)) == [
        ("wrong topics", "Ma <b>: +data -fintech"),
        ("wrong stance", "Ma <b>: promote, not regulate"),
    ]
    (error,) = article_errors(outcome)
    assert (error.kind, error.detail) == ("wrong label", "topics: +data -fintech · stance: promote, not regulate")
    assert {piece.text: piece.mark for piece in error.pieces if piece.mark != "none"} == {"a ban on coins": "gold"}
    # No record was scored, but the scores of the classes were; both stand in the terminal and on the page.
    report = replace(report, outcomes=(outcome,), risk=(), calibration={"stance": report.calibration["records"]})
    console = Console(width=140, record=True, file=StringIO())
    console.print(report_view(report))
    for part in errors_view(report):
        console.print(part)
    text, page = console.export_text(), report_page(report)
    assert "Calibration: ECE % over 10 bins of equal mass: stance" in text
    assert "Stance: ECE" in page
    for words in ("Where the errors are", "Records at a minimum score", "Records scored at least"):
        assert words not in text
        assert words not in page


def test_a_label_that_a_gold_record_lacks_is_no_error() -> None:
    gold, predicted = GOLD[0], PREDICTED[0]
    assert len(label_errors(gold, predicted)) == 2
    assert label_errors(replace(gold, topics=()), predicted) == ["stance: promote, not regulate"]
    assert label_errors(replace(gold, stance=None), predicted) == ["topics: +data -fintech"]


def test_what_is_not_annotated_is_no_error() -> None:
    (outcome,) = make_report().outcomes
    outcome = replace(outcome, unknown=frozenset({"topics", "stance"}))
    assert [kind for kind, _ in error_lines(outcome)] == ["missed", "look-alike speaker"]
    assert [error.kind for error in article_errors(outcome)] == ["missed", "look-alike speaker"]
