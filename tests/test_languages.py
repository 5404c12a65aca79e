"""Which language a text is in, and what the config says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.languages import Languages, load_languages

ENGLISH = "Deputies to the legislature proposed that schools be open longer, and members of the committee agreed."
CHINESE = "全国人大代表建议加快数据立法，支持企业研发，并对平台加强监管。"
FRENCH = "Les députés ont proposé que les écoles restent ouvertes plus longtemps, et le comité les a soutenus."


def test_english_by_its_letters(languages: Languages) -> None:
    assert languages.detect(ENGLISH) == "en"


def test_chinese_by_its_script(languages: Languages) -> None:
    assert languages.detect(CHINESE) == "zh"
    assert languages.detect(CHINESE + " NPC, CPPCC, 5G, AI") == "zh"


def test_a_few_chinese_names_make_no_chinese_text(languages: Languages) -> None:
    assert languages.detect(ENGLISH + " 马兰 李伟民") == "en"


def test_other_languages_are_told_apart(languages: Languages) -> None:
    assert languages.detect(FRENCH) == "fr"


@pytest.mark.parametrize("text", ["", "   ", "12345 67", "!?…", "\0\x01"])
def test_a_text_without_letters_has_no_language(languages: Languages, text: str) -> None:
    assert languages.detect(text) is None


def test_model_of_a_language(languages: Languages) -> None:
    assert languages.model("en") == "en-rules"
    assert languages.model("zh") is None
    assert languages.model("fr") is None
    assert languages.model(None) is None


def test_name_for_people(languages: Languages) -> None:
    assert languages.name("zh") == "Chinese"
    assert languages.name("fr") == "fr"


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("Beijing, March 5, 2024 - The", "2024"),
        ("Mar. 10, 2019", "2019"),
        ("on May 22nd 2020 at nine", "2020"),
        ("March 5", None),
        ("5 March 1899", None),
        ("BEIJING, 4 March 2022", "2022"),
        ("4 Mar. 2022", "2022"),
        ("the 4th of March 2022", "2022"),
        ("4th March, 2022", "2022"),
        ("in March 2022", None),
        ("2014 March 2022", None),
    ],
)
def test_written_dates(languages: Languages, text: str, year: str | None) -> None:
    found = languages.written_date(text, "en")
    assert (found and found["year"]) == year


def test_no_written_dates_in_a_language_without_a_pattern(languages: Languages) -> None:
    assert languages.written_date("March 5, 2024", "zh") is None
    assert languages.written_date("March 5, 2024", None) is None


def test_generic_words_are_those_of_all_languages() -> None:
    table = {"en": {"generic": ["group", "ltd"]}, "eo": {"generic": ["grupo"]}, "zh": {}}
    assert Languages(table).generic_words() == {"group", "ltd", "grupo"}
    assert {"group", "ltd", "china"} <= load_languages().generic_words()


def test_how_names_are_told_is_of_all_languages() -> None:
    table = {
        "zh": {"kinds": ["银行"], "titles": ["代表"], "titles_before": ["老"], "compound_surnames": ["欧阳"]},
        "ja": {"kinds": ["銀行"], "titles": ["氏"]},
        "en": {},
    }
    languages = Languages(table)
    assert languages.kinds() == {"银行", "銀行"}
    assert languages.titles() == ({"代表", "氏"}, {"老"})
    assert languages.compound_surnames() == {"欧阳"}


def test_posts_stand_before_their_organization_unless_the_config_says_otherwise(languages: Languages) -> None:
    assert languages.organization_first("zh")
    assert not any(map(languages.organization_first, ("en", "fr", None)))


def test_another_config_file(tmp_path: Path) -> None:
    path = tmp_path / "languages.toml"
    path.write_text("[eo]\nname = 'Esperanto'\nmodel = 'eo'\n", encoding="utf-8")
    assert load_languages(path).model("eo") == "eo"
    assert load_languages(path).model("en") is None


def test_shipped_config_names_english_and_chinese() -> None:
    table = load_languages().table
    assert table["en"]["model"]
    assert "scripts" in table["zh"]
