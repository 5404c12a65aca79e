"""The checks of a whole corpus, each on a corpus with one fault, and on the project's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from chinese_article import chinese_article
from generated_articles import TOPICS
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.corpus import AnnotatedArticle, Entity, GoldMention, GoldStatement, Problem, load_topics
from pipeline.corpus_checks import check_article, check_path, check_splits
from pipeline.formats import format_module
from pipeline.schema import STANCES, Article
from pipeline.scripts import word_count

DATA = Path(__file__).parent.parent / "data" / "annotated"


def article(name: str, year: int = 2020, seed: int = 0) -> AnnotatedArticle:
    """A clean article of 120 words, unlike those of other seeds, with a record for each topic and stance."""
    head = "Luo Wenqing , NPC deputy "
    filler = [f"w{seed}x{n}" for n in range(115)]
    text = head + " ".join(filler)
    statements = []
    at = len(head)
    for index, word in enumerate(filler[:4]):
        statements.append(GoldStatement(at, at + len(word), ("p1",), str(index + 1), (TOPICS[index],), STANCES[index]))
        at += len(word) + 1
    return AnnotatedArticle(
        Article(name, text, lang="en", outlet="daily", session_year=year),
        "report",
        (Entity("p1", "person", "Luo Wenqing", None, "NPC"),),
        (GoldMention(0, 11, "PERSON", ("p1",)), GoldMention(14, 24, "BODY", ("p1",), "NPC")),
        tuple(statements),
    )


def messages(problems: object) -> list[str]:
    return [problem.message for problem in problems]  # type: ignore[attr-defined]


def test_a_clean_corpus_has_no_problem() -> None:
    splits = {"train": [article("a", 2020, 1)], "test": [article("b", 2021, 2)]}
    assert list(check_splits(splits, TOPICS)) == []


def _with_text(annotated: AnnotatedArticle, text: str) -> AnnotatedArticle:
    return replace(annotated, article=replace(annotated.article, text=text))


def _mention(*mentions: GoldMention) -> Callable[[AnnotatedArticle], AnnotatedArticle]:
    return lambda a: replace(a, mentions=(*a.mentions, *mentions))


def _statement(**changes: object) -> Callable[[AnnotatedArticle], AnnotatedArticle]:
    return lambda a: replace(a, statements=(replace(a.statements[0], **changes), *a.statements[1:]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_mention(GoldMention(700, 9000, "ORG")), "ORG at 700..9000 lies outside of the text"),
        (_mention(GoldMention(40, 40, "ORG")), "ORG at 40..40 lies outside of the text"),
        (_mention(GoldMention(11, 12, "ORG")), "ORG ' ' at 11 has a space at its edge"),
        (_mention(GoldMention(4, 11, "ORG")), "the mentions 'Luo Wenqing' at 0 and 'Wenqing' at 4 overlap"),
        (_mention(GoldMention(60, 65, "PLACE")), "no such label"),
        (_mention(GoldMention(62, 66, "ORG", ("o7",))), "belongs to 'o7', which is no entity"),
        (_mention(GoldMention(23, 27, "ORG")), "crosses a statement's edge"),
        (_statement(end=30), "statement 'w0x0 ' at 25 has a space at its edge"),
        (_statement(end=31), "the statements 'w0x0 w' at 25 and 'w0x1' at 30 overlap"),
        (_statement(by=()), "proposes, but nobody is its proponent"),
        (_statement(by=("p2",)), "is by 'p2', which is no entity"),
        (_statement(stance=None), "has the stance None; one of promote"),
        (_statement(topics=()), "has no topic"),
        (_statement(topics=("tea",)), "has the topic 'tea'"),
        (lambda a: _with_text(a, a.article.text + " Luo Wenqing"), "the name 'Luo Wenqing' at"),
        (
            lambda a: replace(a, article=replace(a.article, lang="zn")),
            "lang 'zn' is no language of configs/languages.toml: en, zh",
        ),
        (lambda a: replace(a, entities=a.entities * 2), "two entities have one id"),
        (lambda a: replace(a, mentions=(a.mentions[0], replace(a.mentions[1], is_=None))), "is=None; one of NPC"),
    ],
)
def test_each_fault_of_an_article_is_an_error(
    change: Callable[[AnnotatedArticle], AnnotatedArticle], message: str
) -> None:
    found = list(check_article(change(article("a")), TOPICS))
    assert any(message in problem.message and problem.level == "error" for problem in found), found


def test_a_mention_over_a_paragraph_border() -> None:
    annotated = article("a")
    annotated = _with_text(annotated, annotated.article.text + " Wu\n\nHan")
    end = len(annotated.article.text)
    found = list(check_article(_mention(GoldMention(end - 7, end, "ORG"))(annotated), TOPICS))
    assert any("crosses a paragraph border" in problem.message for problem in found)


@pytest.mark.parametrize("text", ["Luo Wenqingzhou", "the name of Luo", "Wenqing"])
def test_other_words_are_no_untagged_name(text: str) -> None:
    annotated = article("a")
    assert list(check_article(_with_text(annotated, f"{annotated.article.text} {text}"), TOPICS)) == []


def test_lengths_are_warned_of() -> None:
    annotated = article("a")
    assert word_count(annotated.article.text) == 119
    long = _with_text(annotated, annotated.article.text + " x" * 982)
    assert [(p.message, p.level) for p in check_article(long, TOPICS)] == [
        ("1101 words; 100 to 1100 are usual", "warning")
    ]
    assert list(check_article(_with_text(annotated, annotated.article.text + " x" * 981), TOPICS)) == []


@pytest.mark.parametrize(
    ("times", "complaint"), [(19, "152 characters"), (20, ""), (220, ""), (221, "1768 characters")]
)
def test_the_length_of_chinese_is_that_of_its_translation(times: int, complaint: str) -> None:
    chinese = AnnotatedArticle(Article("zh", "代表建议学校开放。" * times, lang="zh"), None, (), (), ())
    found = [str(problem) for problem in check_article(chinese, TOPICS)]
    assert found == ([f"zh: warning: {complaint}; 160 to 1760 are usual"] if complaint else [])


def test_a_chinese_article_is_clean() -> None:
    assert list(check_article(chinese_article(), load_topics())) == []


def test_an_unmarked_chinese_name_is_found_inside_of_its_sentence() -> None:
    annotated = chinese_article()
    again = _with_text(annotated, annotated.article.text + "记者了解到，马映川建议增加床位。")
    (problem,) = check_article(again, load_topics())
    assert (problem.message.startswith("the name '马映川' at"), problem.level) == (True, "error")


def test_two_chinese_characters_may_be_a_word() -> None:
    text = "高明说，这是高明的做法。" + "代表建议学校开放。" * 20
    annotated = AnnotatedArticle(
        Article("a", text, lang="zh"),
        None,
        (Entity("p1", "person", "高明"),),
        (GoldMention(0, 2, "PERSON", ("p1",)),),
        (),
    )
    (problem,) = check_article(annotated, TOPICS)
    assert problem == Problem("a", "the name '高明' at 6 is not marked", "warning")


def test_an_id_is_used_once_over_all_splits() -> None:
    splits = {"train": [article("a", 2020, 1)], "test": [article("a", 2021, 2)]}
    assert messages(check_splits(splits, TOPICS)) == ["2 articles have this id, in test, train"]


def test_a_near_duplicate_across_splits_is_an_error_and_inside_one_a_warning() -> None:
    splits = {"train": [article("a", 2020, 1), article("b", 2020, 1)], "test": [article("c", 2021, 2)]}
    (found,) = check_splits(splits, TOPICS)
    assert (found.source, found.level) == ("train/a", "warning")
    splits = {"train": [article("a", 2020, 1)], "test": [article("b", 2021, 1)]}
    (found,) = check_splits(splits, TOPICS)
    assert (found.level, found.message) == (
        "error",
        "leaks across splits: shares 100% of its word sequences with train/a",
    )


def test_a_year_belongs_to_one_split() -> None:
    splits = {"train": [article("a", 2020, 1), article("b", 2020, 2)], "dev": [article("c", 2020, 3)]}
    assert [str(problem) for problem in check_splits(splits, TOPICS)] == [
        "dev/2020: error: the session year 2020 is in several splits: train (2), dev (1); in dev: c"
    ]


def test_a_label_that_a_split_lacks_is_warned_of() -> None:
    annotated = article("a")
    few = replace(annotated, statements=annotated.statements[:2])
    assert list(check_splits({"dev": [few]}, TOPICS)) == []
    found = list(check_splits({"train": [article("b", 2021, 1)], "dev": [few]}, TOPICS))
    assert found == [
        Problem("dev", "no record with the topic metaverse, law-justice", "warning"),
        Problem("dev", "no record with the stance both, neither", "warning"),
    ]


def test_problems_of_the_files_are_among_them(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.xml").write_text("<article><p>x", encoding="utf-8")
    number, problems = check_path(tmp_path, TOPICS)
    assert number == 0
    assert problems[0].source == "train/a"
    assert "not well-formed" in problems[0].message
    (tmp_path / "b.jsonl").write_text('{"text": "x", "mentions": [], "statements": []}\n', encoding="utf-8")
    _, problems = check_path(tmp_path / "b.jsonl", TOPICS)
    assert problems == [Problem("b", f"{tmp_path / 'b.jsonl'}:1: no 'entities' there")]


XML = """<article id="{name}" lang="en" published="2024-03-06" session_year="2024">
<p><per id="p1">Luo Wenqing</per>, <body of="p1" is="NPC">deputy</body>, urged
<prop by="p1" n="1" topics="{topics}" stance="both">a law</prop>.</p></article>"""


def _xml(path: Path, topics: str = "data") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(XML.format(name=path.stem, topics=topics), encoding="utf-8")


def _errors(path: Path) -> list[str]:
    return [str(problem) for problem in check_path(path, TOPICS)[1] if problem.level == "error"]


def test_a_fault_of_the_xml_is_named_once(tmp_path: Path) -> None:
    _xml(tmp_path / "a.xml", topics="tea")
    (error,) = _errors(tmp_path / "a.xml")
    assert "no topic 'tea'" in error


def test_outlet_and_shape_are_asked_of_a_whole_corpus(tmp_path: Path) -> None:
    _xml(tmp_path / "train" / "a.xml")
    assert _errors(tmp_path / "train") == []
    assert messages(check_path(tmp_path / "train", TOPICS)[1])[:2] == ["outlet is missing", "shape is missing"]
    (tmp_path / "dev").mkdir()
    assert "train/a: error: outlet is missing" in _errors(tmp_path)


def test_what_the_other_commands_read_is_checked(tmp_path: Path) -> None:
    _xml(tmp_path / "a.xml")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.xml").write_text("<article><p>", encoding="utf-8")
    (error,) = _errors(tmp_path)
    assert error.startswith(f"{tmp_path.name}/b: error: not well-formed")
    (tmp_path / "c.iob").write_text("a\tO\n", encoding="utf-8")
    (error,) = _errors(tmp_path)
    assert "holds several formats (iob, xml)" in error


def test_the_command_and_its_status(tmp_path: Path) -> None:
    runner = CliRunner()
    file = tmp_path / "a.jsonl"
    format_module("jsonl").write([article("a")], file)
    result = runner.invoke(app, ["corpus", "check", str(file), "--strict"])
    assert (result.exit_code, "no record" in result.output) == (0, False)
    format_module("jsonl").write([_with_text(article("a"), article("a").article.text[:300])], tmp_path / "b.jsonl")
    result = runner.invoke(app, ["corpus", "check", str(tmp_path / "b.jsonl")])
    assert (result.exit_code, "are usual" in result.output) == (0, True)
    assert runner.invoke(app, ["corpus", "check", str(tmp_path / "b.jsonl"), "--strict"]).exit_code == 1
    format_module("jsonl").write([_statement(topics=())(article("a"))], file)
    result = runner.invoke(app, ["corpus", "check", str(file)])
    assert result.exit_code == 1
    assert "a/a: error: the statement 'w0x0' at 25 has no topic" in result.output
    assert runner.invoke(app, ["corpus", "check", str(tmp_path / "none")]).exit_code == 2


def test_the_corpus_of_the_project_has_no_error() -> None:
    result = CliRunner().invoke(app, ["corpus", "check", str(DATA)])
    assert result.exit_code == 0, result.output
