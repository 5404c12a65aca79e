"""The report in a real browser: Debian's Chromium, driven by Playwright, from disk and without a network.

Where Chromium or Playwright is missing these tests are skipped, loudly; TWOSESSIONS_REQUIRE_BROWSER=1 makes that a
failure. `.ci/system-packages.txt` names what to install.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import RecordMaker

from pipeline.read import Failure
from pipeline.report import Report, Source, compile_report
from pipeline.report_page.folder import write_report
from pipeline.report_page.page import article_file, fixed_files, report_files
from pipeline.schema import STANCES, Article, Record, Stance
from pipeline.store import Writer, open_store

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Generous: the machine may be busy with something else.
PATIENCE = 120_000

TOPICS = ("education", "health", "transport")
HOSTILE = (
    'Ma Lan <script>document.title="owned"</script></script><img src=x onerror="window.owned=1"> open\u202e the gate'
)


def missing(reason: str) -> None:
    if os.environ.get("TWOSESSIONS_REQUIRE_BROWSER") == "1":
        pytest.fail(f"TWOSESSIONS_REQUIRE_BROWSER=1, but {reason}")
    pytest.skip(f"THE REPORT IS NOT TESTED IN A BROWSER: {reason}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    if not Path(CHROMIUM).exists() and not shutil.which(CHROMIUM):
        missing(f"there is no {CHROMIUM}; apt-get install chromium")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        missing("Playwright is not installed; pip install playwright")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE)
        yield opened
        opened.close()


@dataclass
class Watched:
    """A page, and what must not happen on it."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def rows(self, table: str = "proposals") -> Any:
        return self.page.locator(f'[data-table="{table}"] tbody tr')

    def column(self, name: str, table: str = "proposals") -> list[str]:
        return [text.strip() for text in self.rows(table).locator(f"td.c-{name}").all_inner_texts()]

    def status(self, words: str, table: str = "proposals") -> None:
        from playwright.sync_api import expect

        expect(self.page.locator(f'[data-status="{table}"]')).to_have_text(words)

    def control(self, label: str) -> Any:
        """Return the control of the view that is shown; hidden views have controls of the same name."""
        return self.page.locator(".view:visible").get_by_label(label, exact=True)

    def address(self) -> str:
        return self.page.url.partition("#")[2]


Opener = Callable[..., Watched]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Opener]:
    """A function that opens a report; afterwards, nothing must have gone wrong and no request have left its folder."""
    pages: list[tuple[Watched, Any, Path]] = []

    def open_page(folder: Path, view: str = "", **options: Any) -> Watched:
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        seen = Watched(context.new_page())
        pages.append((seen, context, folder))

        def refuse(route: Any) -> None:
            seen.wrong.append(f"a request left the page: {route.request.url}")
            route.abort()

        context.route(re.compile(r"^(?!file:|data:)"), refuse)
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("console", lambda message: seen.wrong.append(f"console: {message.type}: {message.text}"))
        seen.page.on("pageerror", lambda error: seen.wrong.append(f"error: {error}"))
        seen.page.on("dialog", lambda dialog: (seen.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        seen.page.goto(f"{(folder / 'index.html').as_uri()}{view}", timeout=PATIENCE)
        seen.page.wait_for_selector("body[data-ready]", state="attached")
        return seen

    yield open_page
    for seen, context, folder in pages:
        context.close()
        assert seen.wrong == []
        assert [url for url in seen.requests if not url.startswith((folder.as_uri() + "/", "data:,"))] == []


def with_labels(record: Record, stance: Any, score: float) -> Record:
    return replace(
        record, score=score, proposal=replace(record.proposal, stance=Stance(stance, score / 2, 1 - score / 2))
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, make_record: RecordMaker) -> Path:
    """A report of 60 articles: by the number, the topic, stance, year and score of each are known; one is hostile."""
    place = tmp_path_factory.mktemp("report")
    engine = open_store(f"sqlite:///{place / 'store.db'}")
    writer = Writer(engine, {"en": "digest"})
    for at in range(60):
        name = f"Ma Lan{chr(97 + at % 10)}"
        text = (
            f"{name}, chairman of Works {at % 10 % 4}, proposed that \N{BOUQUET} school number {at} opens. Rain fell."
        )
        start = text.index("\N{BOUQUET}")
        article = Article(
            f"a{at:02}", text, "en", f"Story {at}", "The Gull", "https://gull.example/1", None, 2020 + at % 5
        )
        record = make_record(
            article,
            name=name,
            body="NPC" if at % 2 else "CPPCC",
            organization=f"Works {at % 10 % 4}",
            span=(start, text.index(" Rain")),
            topics=(TOPICS[at % 3],),
        )
        role = replace(record.delegate.roles[0], start=text.index("chairman"), end=text.index(" of"))
        record = replace(record, delegate=replace(record.delegate, roles=(role,)))
        writer.write(article, [with_labels(record, STANCES[at % 4], at / 100)])
    bad = Article("zz" + HOSTILE, HOSTILE, "en", HOSTILE, HOSTILE, "javascript:alert(1)", HOSTILE, None)
    record = make_record(
        bad, HOSTILE, None, organization=HOSTILE, span=(0, len(HOSTILE)), name_zh=HOSTILE, topics=("x<b>",)
    )
    writer.write(bad, [record])
    writer.fail(Failure(HOSTILE, HOSTILE))
    writer.finish()
    write_report(engine, "store", place / "out")
    engine.dispose()
    return place / "out"


def test_the_filters_narrow_the_table_and_stand_in_the_address(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposals")
    page = seen.page
    seen.status("1–25 of 61 proposals")
    seen.control("Topic").select_option("health")
    seen.status("1–20 of 20 proposals, from 61")
    assert set(seen.column("topics")) == {"health"}
    seen.control("Stance").select_option("regulate")
    seen.status("1–5 of 5 proposals, from 61")
    assert set(seen.column("stance")) == {"regulate"}
    seen.control("Session").select_option("2023")
    seen.status("1–1 of 1 proposal, from 61")
    assert seen.column("year") == ["2023"]
    assert seen.address() == "proposals?topic=health&stance=regulate&year=2023"
    seen.control("Body").select_option("CPPCC")
    seen.status("Nothing passes these filters.")
    page.go_back()
    seen.status("1–1 of 1 proposal, from 61")
    page.get_by_role("button", name="Clear").click()
    seen.status("1–25 of 61 proposals")
    assert seen.control("Topic").input_value() == ""
    seen.control("Session").select_option("none")
    seen.status("1–1 of 1 proposal, from 61")


def test_the_search_hears_words_in_any_order_and_survives_a_reload(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposals")
    seen.control("Search").fill("OPENS number 17")
    seen.status("1–1 of 1 proposal, from 61")
    seen.page.reload()
    seen.status("1–1 of 1 proposal, from 61")
    assert seen.control("Search").input_value() == "OPENS number 17"
    assert "school number 17 opens" in seen.column("text")[0]


def test_going_back_empties_the_search_too(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposals")
    seen.control("Topic").select_option("health")
    seen.status("1–20 of 20 proposals, from 61")
    seen.control("Search").fill("number 17")
    seen.status("Nothing passes these filters.")
    # The cursor is still in the field.
    seen.page.go_back()
    seen.status("1–25 of 61 proposals")
    assert seen.control("Search").input_value() == ""


def test_the_head_sorts_by_mouse_and_by_keyboard(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposals")
    page = seen.page
    assert page.locator("th[aria-sort]").inner_text().startswith("Year")
    page.get_by_role("button", name="Score").click()
    page.wait_for_selector('th[aria-sort="descending"] [data-sort="score"]')
    assert seen.column("score")[:3] == ["0.59", "0.58", "0.57"]
    page.get_by_role("button", name="Score").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector('th[aria-sort="ascending"] [data-sort="score"]')
    assert seen.column("score")[:3] == ["0.00", "0.01", "0.02"]
    assert seen.address() == "proposals?sort=score"
    page.get_by_role("button", name="Who").click()
    page.wait_for_selector('th[aria-sort="ascending"] [data-sort="name"]')
    names = [text.split("\n")[0] for text in seen.column("who")]
    assert names == sorted(names)


def test_the_table_has_pages(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposals?sort=score")
    page = seen.page
    assert seen.rows().count() == 25
    page.get_by_role("button", name="Next").click()
    seen.status("26–50 of 61 proposals")
    assert seen.column("score")[0] == "0.25"
    page.get_by_role("button", name="Next").click()
    seen.status("51–61 of 61 proposals")
    assert page.get_by_role("button", name="Next").is_disabled()
    seen.control("Rows a page").select_option("100")
    seen.status("1–61 of 61 proposals")
    assert seen.rows().count() == 61


def test_a_number_of_the_overview_opens_its_proposals(visit: Opener, folder: Path) -> None:
    seen = visit(folder)
    link = seen.page.get_by_label("education, promote: 5", exact=True)
    assert link.inner_text() == "5"
    link.click()
    seen.status("1–5 of 5 proposals, from 61")
    assert seen.page.title() == "Proposals · Two Sessions"
    assert seen.page.locator('nav [aria-current="page"]').inner_text().startswith("Proposals")


def test_the_delegates_can_be_searched(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#delegates")
    seen.status("1–11 of 11 entries", "delegates")
    assert seen.column("n", "delegates")[:2] == ["6", "6"]
    seen.control("Search").fill("lanc")
    seen.status("1–1 of 1 entry, from 11", "delegates")
    seen.control("Search").fill("")
    seen.status("1–11 of 11 entries", "delegates")
    seen.control("Organization").fill("works 3")
    seen.status("1–2 of 2 entries, from 11", "delegates")
    seen.control("Body").select_option("CPPCC")
    seen.status("Nothing passes these filters.", "delegates")
    seen.control("Body").select_option("NPC")
    seen.rows("delegates").first.get_by_role("link").click()
    seen.status("1–6 of 6 proposals, from 61")
    seen.page.get_by_role("button", name="remove the filter").click()
    seen.status("1–25 of 61 proposals")


def test_a_proposal_is_shown_in_its_article(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposals?sort=-score")
    page = seen.page
    seen.rows().first.locator("a.words").click()
    page.wait_for_selector(".article")
    assert page.locator(".article").inner_text() == (
        "Ma Lanj, chairman of Works 1, proposed that \N{BOUQUET} school number 59 opens. Rain fell."
    )
    # A character outside the basic plane: offsets count code points.
    assert page.locator("mark.m-proposal").all_inner_texts() == ["\N{BOUQUET} school number 59 opens."]
    assert page.locator("mark.m-mention").all_inner_texts() == ["Ma Lanj"]
    assert page.locator("mark.m-post").all_inner_texts() == ["chairman", "Works 1"]
    assert page.locator("mark.m-cue").all_inner_texts() == ["proposed"]
    facts = page.get_by_label("The record", exact=True).inner_text()
    for words in ("transport", "0.59", "neither", "NPC", "digest", "0.1.0", "The Gull", "a59", "44–69"):
        assert words in facts
    assert page.get_by_role("link", name="https://gull.example/1").get_attribute("rel") == "noopener noreferrer"
    page.get_by_role("link", name="Next").click()
    page.wait_for_selector('.article:has-text("school number 58")')
    page.get_by_role("link", name="All proposals").click()
    seen.status("1–25 of 61 proposals")
    assert seen.address() == "proposals?sort=-score"
    loaded = [url for url in seen.requests if "/articles/" in url]
    assert len(loaded) == 2


def test_an_unknown_proposal_is_said_to_be_unknown(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposal?id=0000")
    assert seen.page.locator("h1:visible").inner_text() == "There is no such proposal in this report"


def test_hostile_text_is_text(visit: Opener, folder: Path) -> None:
    seen = visit(folder, "#proposals?year=none")
    page = seen.page
    shown = HOSTILE.replace("\u202e", "⟨U+202E⟩")
    seen.status("1–1 of 1 proposal, from 61")
    assert shown in seen.column("text")[0]
    assert page.locator(".control").count() >= 2
    seen.rows().first.locator("a.words").click()
    page.wait_for_selector(".article")
    assert page.locator(".article").inner_text() == shown
    assert page.locator("main img").count() == 0
    assert page.locator("main script").count() == 0
    assert page.locator('a[href^="javascript" i]').count() == 0
    assert "javascript:alert(1)" in page.get_by_label("The record", exact=True).inner_text()
    for view in ("delegates", "sources", "overview"):
        page.get_by_label("Views", exact=True).locator(f'[data-view="{view}"]').click()
        page.wait_for_selector(f'body[data-ready="{view}"]', state="attached")
        assert page.locator("main img").count() == 0
    page.get_by_label("Views", exact=True).locator('[data-view="sources"]').click()
    assert shown in page.locator("#view-sources").inner_text()
    assert page.title() != "owned"
    assert page.evaluate("() => window.owned === undefined")


def test_a_phone_shows_it_without_sideways_scrolling(visit: Opener, folder: Path) -> None:
    seen = visit(folder, viewport={"width": 360, "height": 740})
    for view in ("overview", "proposals", "delegates", "sources"):
        seen.page.get_by_label("Views", exact=True).locator(f'[data-view="{view}"]').click()
        seen.page.wait_for_selector(f'body[data-ready="{view}"]', state="attached")
        assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), view


def test_on_paper_there_are_the_bars_and_the_columns(visit: Opener, folder: Path) -> None:
    # A4 without its margins, in CSS pixels; narrower than what a phone's layout begins at.
    seen = visit(folder, viewport={"width": 688, "height": 970})
    page = seen.page
    page.emulate_media(media="print")
    assert page.locator(".matrix svg.bar").first.is_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("() => { location.hash = '#proposals'; }")
    page.wait_for_selector('body[data-ready="proposals"]', state="attached")
    shown = page.locator('[data-table="proposals"] tbody tr').first
    assert shown.evaluate("row => getComputedStyle(row).display") == "table-row"
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert not page.locator(".filters:visible").count()


def test_an_empty_report_says_so(visit: Opener, tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    write_report(engine, "store", tmp_path / "out")
    engine.dispose()
    seen = visit(tmp_path / "out")
    assert seen.page.locator("h1:visible").inner_text() == "There is nothing to show yet"
    seen.page.get_by_label("Views", exact=True).locator('[data-view="proposals"]').click()
    seen.status("There is nothing here yet.")


def test_ten_thousand_records_load(visit: Opener, tmp_path: Path, make_record: RecordMaker) -> None:
    articles = [
        Article(
            f"a{at}", f"Ma Lan{at % 700} proposed that school number {at} opens.", "en", session_year=2012 + at % 15
        )
        for at in range(10_000)
    ]
    records = [
        with_labels(make_record(a, a.text.split(" proposed")[0], span=(10, len(a.text))), STANCES[at % 4], at % 97 / 97)
        for at, a in enumerate(articles)
    ]
    empty = Report("store", "2026-01-01T00:00:00+00:00")
    report = compile_report(records, [Source(a.id, year=a.session_year) for a in articles], {}, empty)
    for name, text in (*fixed_files(), *report_files(report)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "articles").mkdir()
    file = tmp_path / "articles" / f"{Source('a9999').file}.js"
    file.write_text(article_file("a9999", articles[9999].text, records[9999:]), encoding="utf-8")

    seen = visit(tmp_path, "#proposals")
    seen.status("1–25 of 10,000 proposals")
    assert seen.rows().count() == 25
    seen.control("Search").fill("number 9999 ")
    seen.status("1–1 of 1 proposal, from 10,000")
    seen.rows().first.locator("a.words").click()
    assert seen.page.locator(".article").inner_text() == articles[9999].text
