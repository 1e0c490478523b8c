"""Text that is no UTF-8: its encoding is found, said, or named with the place of its first byte."""

import io
import re

import pytest

from pellucid.data import read_table
from pellucid.data.containers import Source
from pellucid.data.csv_files import CsvFile
from pellucid.data.encodings import Text, guessed_encoding, known_encoding, marked_encoding

TEXTS = {
    "gb18030": (
        "城市,价格\n北京,1\n|姓名,性别\n张三,男\n|颜色\n红\n|你好|罗|物种\n|水果,重量\n苹果,3\n香蕉,5\n|"
        "客户编号,省份,订单金额\n001,浙江,33\n002,江苏,4\n"
    ),
    "big5hkscs": "城市,價格\n台北,1\n高雄,2\n|姓名,性別\n張三,男\n|顏色\n紅\n|日期,溫度\n|香港",
    "cp932": "都市,価格\n東京,1\n|名前,性別\n田中,男\n|色\n赤\n|リンゴ,3\nバナナ,4\n|札幌",
    "euc_jp": (
        "リンゴ,3\nバナナ,4\n|ひらがな,カタカナ\nあいう,アイウ\n|名前,ふりがな\n田中,たなか\n|お店の名前,ばしょ\n"
        "すし屋,ところざわ\n"
    ),
    "cp949": "도시,가격\n서울,1\n|이름,성별\n김철수,남\n|색\n빨강\n|사과,3\n바나나,5\n|대구",
    "cp1251": "город,цена\nМосква,1\n|имя,пол\nИван,м\n|№,цена\n1,яблоко\n|Київ,Україна|да,нет",
    "cp1252": (
        "ville,prix\nOrléans,1\nBézier,2\n|Größe,Farbe\ngrün,weiß\n|año,niño\n|"
        "São Paulo,Brasília\n|Malmö,Göteborg,Århus\n|temp °C,Preis €\n|“quoted”,x"
    ),
}


def source_of(content, name="t.csv"):
    return Source(None, name, "csv", "", lambda: io.BytesIO(content))


def write(folder, content, name="t.csv"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", TEXTS)
def test_texts_short_and_long_are_told_by_what_is_usual_in_their_languages(encoding):
    texts = TEXTS[encoding].split("|")
    for text in (*texts, "\n".join(texts * 300), "ascii,x\n" * 20_000 + texts[0]):
        source = source_of(text.encode(encoding))
        assert guessed_encoding(Text(source, "utf-8"), "none") == encoding, text[:20]


@pytest.mark.parametrize(
    ("encoding", "text", "words"),
    [
        ("gb18030", "城市,价格\n北京,007\n上海,5\n", "GB18030"),
        ("cp1252", "ville,prix\nOrléans,007\nBézier,5\n", "Windows-1252"),
        ("big5", "城市,價格\n台北,007\n高雄,5\n", "Big5"),
    ],
)
def test_what_was_found_is_said_in_one_line(tmp_path, encoding, text, words):
    path = write(tmp_path, text.encode(encoding))
    match = rf"^t\.csv is no UTF-8: read as {words}\. If that is wrong, name its encoding\.$"
    with pytest.warns(UserWarning, match=match) as caught:
        frame = read_table(path)
    assert len(caught) == 1
    lines = [line.split(",") for line in text.splitlines()]
    assert list(frame.columns) == lines[0]
    assert frame.to_numpy().tolist() == lines[1:]  # codes stay as they are
    assert read_table(path, encoding=encoding).equals(frame)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_unicode_of_any_width_is_told_by_its_mark_or_its_zeros(tmp_path, encoding):
    text = "name,x\n" + "Zoë 北京,1.50\n" * 30_000 + "q,y\n"
    frame = read_table(write(tmp_path, text.encode(encoding)))
    assert frame.shape == (30_001, 2) and frame.iloc[0].tolist() == ["Zoë 北京", "1.50"]


def test_the_place_of_a_bad_byte_is_that_in_the_file(tmp_path):
    for mark in (b"", b"\xef\xbb\xbf"):
        for filler in ("1,2\n", "北,é\n", "北京,中\n"):
            head = mark + b"a,b\n" + (filler * 40_000).encode()
            path = write(tmp_path, head + b"\xff,3\n")
            with pytest.raises(ValueError) as caught:
                read_table(path)
            assert str(caught.value) == (
                f"t.csv must be UTF-8 text. Got byte 0xff at position {len(head)}. Save it as "
                "UTF-8, or name its encoding."
            )
    path = write(tmp_path, "a,b\n北,1\n".encode("gb18030") + b"\x81\xff,1\n")
    with pytest.raises(ValueError, match="must be gb18030 text. Got byte 0x81 at position 9."):
        read_table(path, encoding="gb18030")
    path = write(tmp_path, "a,b\né,1\n".encode("utf-16") + b"\x00\xd8")
    with pytest.raises(ValueError, match="must be utf-16-le text. Got byte 0x00 at position 18."):
        read_table(path)


def test_damaged_utf8_is_not_taken_for_another_encoding(tmp_path):
    path = write(tmp_path, "städte,preis\n".encode() + "größe,1\n".encode() * 50 + b"k\xf6ln,2\n")
    with pytest.raises(ValueError, match="must be UTF-8 text. Got byte 0xf6 at position 515."):
        read_table(path)


def test_a_given_encoding_is_used_and_an_unknown_one_refused(tmp_path):
    path = write(tmp_path, "имя,x\nИван,1\n".encode("koi8-r"))
    assert list(read_table(path, encoding="koi8-r").columns) == ["имя", "x"]
    assert known_encoding("UTF8") == "utf-8" and known_encoding("latin-1") == "cp1252"
    assert known_encoding("GBK") == "gbk" and known_encoding("utf-8-sig") == "utf-8"
    for name, way_out in (("gbk1", "Did you mean 'gbk'?"), ("base64", ""), ("", "Usual ones: utf")):
        match = f"encoding must be the name of an encoding of text. Got '{name}'."
        with pytest.raises(ValueError, match=re.escape(match)) as caught:
            read_table(path, encoding=name)
        assert way_out in str(caught.value)


def test_one_odd_byte_in_a_long_file_does_not_hide_its_encoding():
    text = "城市,价格\n北京,1\n上海,2\n" * 2000
    content = text.encode("gb18030") + b"\x81\xff,1\n"
    assert guessed_encoding(Text(source_of(content), "utf-8"), "none") == "gb18030"
    # nobody has said that it is GB18030
    with pytest.raises(ValueError, match="must be UTF-8 text. Got byte 0xb3 at position 0."):
        CsvFile.of(source_of(content), None, whole=True)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("mac_roman", "ville,prix\nOrléans,1\nBézier,2\n"),
        ("mac_roman", "Größe,x\nMünchen,1\nKöln,2\nDüsseldorf,3\n"),
        ("mac_roman", "año,niño\nSeñora,1\nEspaña,2\n"),
        ("mac_roman", "id,Température\n1,2\n"),
        ("cp1250", "miasto,x\nŁódź,1\nBiałystok,2\nKraków,3\n"),
        ("cp1256", "المدينة,السعر\nالقاهرة,1\nالرياض,2\nدمشق,3\n"),
        ("koi8-r", "город,цена\nМосква,1\nПетербург,2\n"),
        ("cp866", "город,цена\nМосква,1\nПетербург,2\n"),
        ("cp1254", "şehir,nüfus\nİstanbul,1\nİzmir,2\nÇanakkale,3\n"),
        ("cp1253", "πόλη,x\nΑθήνα,1\nΘεσσαλονίκη,2\n"),
        ("cp1255", "עיר,x\nירושלים,1\nחיפה,2\n"),
        ("tis_620", "เมือง,x\nกรุงเทพ,1\nเชียงใหม่,2\n"),
    ],
)
def test_text_of_other_encodings_is_not_taken_for_one_of_these(encoding, text):
    """What is made of such bytes are ideographs that nobody writes, or within Latin words."""
    for content in (text, text * 200):
        with pytest.raises(ValueError, match="^none$"):
            guessed_encoding(Text(source_of(content.encode(encoding)), "utf-8"), "none")


def test_names_of_rare_ideographs_are_not_accepted():
    """Usual text below does not make them names."""
    odd = bytes.fromhex("e8a1f5d6f7e0")
    content = odd + b",x\n" + "北京,1\n上海,2\n".encode("gb18030") * 50
    with pytest.raises(ValueError, match="^none$"):
        guessed_encoding(Text(source_of(content), "utf-8"), "none")


def test_zeros_tell_utf16_only_where_they_are_half_of_the_text():
    assert marked_encoding(source_of("a,b\n1,2\n".encode("utf-16-le"))) == "utf-16-le"
    assert marked_encoding(source_of(b"a,b\n1,2\n")) is None
    assert marked_encoding(source_of(b"a,\0b\0\n1\0,2\n")) is None
