"""Drawings: names in any script, with and without a font that has it, and never a warning."""

from __future__ import annotations

import io
import logging

import pytest

from pellucid import figures

matplotlib = pytest.importorskip("matplotlib")

HAN = "价格表猫狗"


@pytest.fixture
def fonts(tmp_path, monkeypatch):
    """matplotlib with its own fonts alone; ``fonts(family, characters)`` makes one of a file."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from matplotlib import font_manager

    manager = font_manager.fontManager
    own = [f for f in manager.ttflist if f.name in ("DejaVu Sans", "cmr10")]
    monkeypatch.setattr(manager, "ttflist", own)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])

    def make(family, characters, weight=500):
        pen = TTGlyphPen(None)
        pen.moveTo((100, 0)), pen.lineTo((900, 0)), pen.lineTo((500, 800)), pen.closePath()
        names = [".notdef", *(f"uni{ord(c):04X}" for c in characters)]
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder(names)
        builder.setupCharacterMap({ord(c): f"uni{ord(c):04X}" for c in characters})
        builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
        builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
        builder.setupHorizontalHeader(ascent=800, descent=-200)
        builder.setupNameTable({"familyName": family, "styleName": "Regular"})
        builder.setupOS2(usWeightClass=weight)
        builder.setupPost()
        path = tmp_path / f"{family}.ttf"
        builder.save(path)
        return str(path)

    return make


def drawn(title, labels=("a", "b")):
    """A finished figure with a title and labels at its axis."""
    figure = figures.new_figure("a test", 3, 3)
    axes = figure.subplots()
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yscale("log")
    return figures.finish(figure, title=title)


def families(figure):
    return figure._suptitle.get_family()


def written(figure, kind="png"):
    """Draw it later than it was made, as a user does."""
    picture = io.BytesIO()
    figure.savefig(picture, format=kind)
    return picture.getvalue()


def test_latin_looks_as_before():
    before = list(matplotlib.rcParams["font.family"])
    assert families(drawn("price_a & prix à payer")) == [*before, "DejaVu Sans"]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_font_that_has_the_characters_is_used(fonts, kind, caplog):
    from matplotlib import font_manager

    font_manager.fontManager.addfont(fonts("Some Hei", HAN))
    before = dict(matplotlib.rcParams)
    figure = drawn("价格表.csv: 价格", ["猫", "狗"])
    assert families(figure)[-2:] == ["DejaVu Sans", "Some Hei"]
    assert figure._suptitle.get_text() == "价格表.csv: 价格"
    assert len(written(figure, kind)) > 1000
    # that this font is half-bold is no news for a user
    assert [r for r in caplog.records if "Some Hei" in r.getMessage()] == []
    assert dict(matplotlib.rcParams) == before  # other figures are as they were


def test_without_such_a_font_squares_are_drawn_and_nothing_is_warned_of(fonts):
    figure = drawn("价格 of 2 rooms", ["猫", "cat"])
    assert len(written(figure)) > 1000
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert figure._suptitle.get_text() == "□□ of 2 rooms" and labels == ["□", "cat"]
    assert families(figure)[-1] == "DejaVu Sans"


@pytest.mark.parametrize("character", ["\t", "\x07", "\ud800", "\U000f0000"])
def test_what_no_font_can_draw_is_a_square_too(fonts, character):
    figure = drawn(f"a{character}b\nc")
    written(figure)
    assert figure._suptitle.get_text() in ("a□b\nc", "a□b c")


def test_several_fonts_together(fonts):
    from matplotlib import font_manager

    for family, characters in (("Half A", "价格"), ("Half B", "표ア格")):
        font_manager.fontManager.addfont(fonts(family, characters))
    figure = drawn("价格 표 ア 猫")
    written(figure)
    assert families(figure)[-2:] == ["Half A", "Half B"]
    assert figure._suptitle.get_text() == "价格 표 ア □"


def test_well_known_families_come_first(fonts):
    from matplotlib import font_manager

    for family in ("A Font", "WenQuanYi Zen Hei", "SimHei"):
        font_manager.fontManager.addfont(fonts(family, HAN))
    assert families(drawn(HAN))[-1] == "WenQuanYi Zen Hei"


def test_a_font_of_boxes_has_no_characters(fonts):
    from matplotlib import font_manager

    font_manager.fontManager.addfont(fonts("Last Resort High-Efficiency", HAN))
    assert drawn("猫")._suptitle.get_text() == "□"


def test_a_font_installed_after_matplotlib_made_its_list_is_found(fonts, monkeypatch, tmp_path):
    from matplotlib import font_manager

    damaged = tmp_path / "damaged.ttf"
    damaged.write_bytes(b"no font")
    paths = [str(damaged), fonts("New Font", HAN)]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: paths)
    assert families(drawn("猫"))[-1] == "New Font"


def test_a_font_whose_file_is_gone_is_passed_over(fonts, tmp_path):
    from matplotlib import font_manager

    path = fonts("Gone Font", HAN)
    font_manager.fontManager.addfont(path)
    (tmp_path / "Gone Font.ttf").unlink()
    font_manager.fontManager.addfont(fonts("There Font", HAN))
    assert families(drawn("猫"))[-1] == "There Font"


def test_the_users_own_fonts_stay_first(fonts):
    from matplotlib import font_manager

    font_manager.fontManager.addfont(fonts("My Font", HAN + "abc"))
    with matplotlib.rc_context({"font.family": ["My Font"], "text.usetex": True}):
        figure = drawn("a_b 价格")
        assert families(figure) == ["My Font", "DejaVu Sans"]
        assert not figure._suptitle.get_usetex()


def test_dollars_and_underscores_are_no_mathematics():
    figure = drawn("cost in $_US$ and $\\frac{1}$", ["$a_b$", "x_1^2"])
    written(figure)  # as mathematics it would be an error
    assert figure._suptitle.get_text() == "cost in $_US$ and $\\frac{1}$"
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == ["$a_b$", "x_1^2"]
    # powers of ten are matplotlib's own, and are drawn as such
    assert any("10^" in label.get_text() for label in figure.axes[0].get_yticklabels())
    assert all(label.get_parse_math() for label in figure.axes[0].get_yticklabels())


def test_a_long_title_is_broken():
    title = drawn("a rather long name of a table with many words in it.csv: price")._suptitle
    assert title.get_text().replace("\n", " ").endswith("words in it.csv: price")
    assert max(map(len, title.get_text().splitlines())) <= 33
    title = drawn("价格" * 20)._suptitle.get_text()
    assert max(map(len, title.splitlines())) == 16  # each as wide as two letters


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cat", "cat"),
        (12, "12"),
        ("a\nb  c", "a b c"),
        ("class_number_one_hundred", "class_num…e_hundred"),
        ("一二三四五六七八九十", "一二三四五六七八九十"),
        ("一二三四五六七八九十一", "一二三四…八九十一"),
    ],
)
def test_long_names_keep_their_ends(name, expected):
    assert figures.short(name) == expected


def test_a_picture_is_written_whole_or_refused_in_a_sentence(tmp_path):
    figure = drawn("a")
    figures.save(figure, tmp_path / "a.PNG")
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"must have a name that ends in one of .*png.*'a.doc'\."):
        figures.save(figure, "a.doc")
    with pytest.raises(TypeError, match="path of a drawing must be the name of a file. Got 3."):
        figures.save(figure, 3)
    with pytest.raises(OSError, match=r"cannot be saved"):
        figures.save(figure, tmp_path / "no" / "a.png")


def test_matplotlibs_own_messages_are_heard_again_afterwards(fonts):
    before = list(logging.getLogger("matplotlib.font_manager").filters)
    drawn("猫")
    assert logging.getLogger("matplotlib.font_manager").filters == before
