"""What a run prints at its end."""

from __future__ import annotations

from rich.console import Console

from pipeline.read import Failure
from pipeline.store import Summary
from pipeline.summary import summary_view


def printed(summary: Summary) -> list[str]:
    """Return the lines that are not empty, their words one space apart and borders left out."""
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(summary_view(summary))
    lines = [" ".join(line.replace("│", " ").replace("┃", " ").split()) for line in capture.get().splitlines()]
    return [line for line in lines if line]


def test_counts_and_failures() -> None:
    assert printed(Summary(2, 3, (Failure("a", "empty"),), 5, 7, 4, ())) == [
        "articles 5 in the store; this run wrote 2, left 3 as is",
        "records 7",
        "delegates 4",
        "failures 1, each named above",
    ]


def test_no_failures() -> None:
    assert printed(Summary(0, 0, (), 0, 0, 0, ()))[-1] == "failures 0"


def test_articles_without_a_session_year_are_counted_where_there_are_any() -> None:
    words = "undated 2 of the articles in the store have no session year"
    assert words in printed(Summary(0, 0, (), 3, 0, 0, (), undated=2))
    assert not any("undated" in line for line in printed(Summary(0, 0, (), 3, 0, 0, ())))


def test_topics_by_stance_with_the_largest_first() -> None:
    topics = (("health", "promote", 1), ("data", "both", 2), ("data", "regulate", 3), ("data", "neither", 1))
    lines = printed(Summary(0, 0, (), 0, 0, 0, topics))
    assert "topic promote regulate both neither all" in lines
    assert lines.index("data 3 2 1 6") < lines.index("health 1 1")
