"""Text in files: its encoding, found out or given, and the same text as UTF-8.

A file that is valid UTF-8 is UTF-8. For others each encoding that a spreadsheet writes is tried:
text read in a wrong one is made of characters that are rare in that one's language.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, BinaryIO, NamedTuple

from pellucid.checks import suggestion
from pellucid.data.containers import Source
from pellucid.data.tables import BadTable

BLOCK = 1 << 16
_SAMPLE = 1 << 16  # bytes of lines that are not ASCII
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_NAMES = {
    "gb18030": "GB18030", "big5hkscs": "Big5", "cp932": "Shift-JIS", "euc_jp": "EUC-JP",
    "cp949": "EUC-KR", "cp1251": "Windows-1251", "cp1252": "Windows-1252",
}  # fmt: skip
_LEAST = 0.8  # share of usual characters that makes an encoding plausible
_LEAST_OF_NAMES = 0.5  # the same in the first line, which alone is seldom much
_OFTEN_IN_CHINESE = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天"
    "而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身"
    "些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四"
    "第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市价格城性别姓号额数量单品类型地址"
    "男女南京广州深圳杭武汉成都重庆天津是否岁期销售客户编区县省商店费元收支总计备注状态等级评分利率房屋面积温度速"
)
_WESTERN = frozenset(
    "éèêëàâäáãåçñöôóòõøúùûüíìîïßæœÉÈÊÀÂÄÁÃÅÇÑÖÔÓÕØÚÜÍÎÆŒ€°£²³µ§«»’‘“”–—…º¿¡´·®©½¼ \xa0"
)
_OFTEN_IN_KOREAN = frozenset(
    "이다는에의가을를고하은한지도로사기서인대자나리어으시아정있보그수일들제부만장과해원라것상여전동성주구스게거조"
    "안공무적면화문마오중소연와우경신유았생국선내당비요학었회미저생년세교개방모금발위영바까물간양차물관심용달울산"
    "남녀별이름격시군면서울번호월량금액명천순강북김박최"
)


class Text(NamedTuple):
    """A file of text: where it is, and its encoding."""

    source: Source
    encoding: str

    @property
    def mark(self) -> int:
        """The length of the mark that begins the file: bytes that tell its encoding."""
        mark = next((mark for mark, name in _MARKS.items() if name == self.encoding), b"")
        with self.source.open() as file:
            return len(mark) if file.read(len(mark)) == mark else 0

    def utf8(self) -> BinaryIO:
        """Its content as UTF-8, without a mark before it."""
        file = self.source.open()
        file.read(self.mark)
        return file if self.encoding == "utf-8" else io.BufferedReader(_Recoder(file, self), BLOCK)

    def characters(self) -> io.TextIOWrapper:
        """Its content as text."""
        return io.TextIOWrapper(self.utf8(), "utf-8", newline="")


class NotUTF8(Exception):
    """A file is no UTF-8 text: the sentence that says so and where."""


class NotThisEncoding(BadTable):
    """A file is no text of the encoding that was named or guessed."""


class _Recoder(io.RawIOBase):
    """A stream of UTF-8 from one of another encoding."""

    def __init__(self, file: BinaryIO, text: Text) -> None:
        self._file, self._text = file, text
        self._decoder = codecs.getincrementaldecoder(text.encoding)()
        self._done, self._ready, self._ended = text.mark, b"", False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            block = self._file.read(BLOCK)
            self._ended = not block
            held = len(self._decoder.getstate()[0])
            try:
                self._ready = self._decoder.decode(block, final=not block).encode()
            except UnicodeError as error:
                raise NotThisEncoding(_fault(self._text, error, self._done - held)) from None
            self._done += len(block)
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _fault(text: Text, error: UnicodeError, start: int) -> str:
    """The sentence about a byte that is none of this encoding."""
    where = "Got other bytes"
    if isinstance(error, UnicodeDecodeError):
        where = f"Got byte 0x{error.object[error.start]:02x} at position {start + error.start}"
    name = "UTF-8" if text.encoding == "utf-8" else text.encoding
    return (
        f"{text.source.name} must be {name} text. {where}. Save it as UTF-8, or name its encoding."
    )


def check_utf8(text: Text) -> Callable[[bytes], None]:
    """A function that takes the blocks of a file in turn and raises where they are no UTF-8."""
    decoder, done = (
        codecs.getincrementaldecoder("utf-8")(),
        text.mark if text.encoding == "utf-8" else 0,
    )

    def check(block: bytes) -> None:
        nonlocal done
        held = len(decoder.getstate()[0])  # bytes of a character that goes on in this block
        if held or not block.isascii():
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise NotUTF8(_fault(text, error, done - held)) from None
        done += len(block)

    return check


def known_encoding(name: str) -> str:
    """The codec that `name` names.

    Raises
    ------
    ValueError
        If there is none that makes text of bytes.
    """
    try:
        codec = codecs.lookup(name)
        if codec._is_text_encoding:  # else base64 and its like
            # what says Latin-1 was written by Windows, which has quotes and the euro there
            return {"iso8859-1": "cp1252"}.get(codec.name, codec.name).removesuffix("-sig")
    except (LookupError, ValueError, AttributeError):
        pass
    from encodings.aliases import aliases

    known = sorted({alias.replace("_", "-") for alias in (*aliases, *aliases.values())})
    near = suggestion(name.lower().replace("_", "-"), known)
    near = near if near.startswith(" Did") else " Usual ones: utf-8, gb18030, cp1252, utf-16."
    raise ValueError(f"encoding must be the name of an encoding of text. Got {name!r}.{near}")


def marked_encoding(source: Source) -> str | None:
    """The encoding that the first bytes of a file tell: by a mark, or UTF-16 by its zeros."""
    with source.open() as file:
        head = file.read(1 << 12)
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    pairs = len(head) // 2
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if pairs >= 2 and zeros >= 0.3 * pairs and not others:
            return name
    return None


def guessed_encoding(text: Text, fault: str) -> str:
    """The likely encoding of a file that is no UTF-8, as the sentence `fault` says.

    Raises
    ------
    ValueError
        That sentence, if none is likely.
    """
    sample = _sample(text.source)
    decoded = sample.decode("utf-8", "replace")
    bad = decoded.count("\ufffd")
    if sum(character > "\x7f" for character in decoded) - bad > bad:  # UTF-8 that was damaged
        raise BadTable(fault)
    with text.source.open() as file:
        names = file.readline(BLOCK)
    shares = {}
    for name, judge in _JUDGES.items():
        try:
            shares[name] = judge(sample.decode(name))
        except UnicodeDecodeError:
            shares[name] = _without_the_odd_byte(sample, name, judge)
        if not names.isascii() and judge(names.decode(name, "replace")) < _LEAST_OF_NAMES:
            shares[name] = 0.0
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < _LEAST or best == "cp1256":  # Russian in KOI8-R is as likely as Arabic
        raise BadTable(fault)
    return best


def encoding_words(name: str) -> str:
    """How people call an encoding."""
    return _NAMES.get(name, name)


def _sample(source: Source) -> bytes:
    """Lines of a file that are not ASCII."""
    lines, length = [], 0
    with source.open() as file:
        while length < _SAMPLE and (block := file.read(BLOCK)):
            if not block.isascii():
                block += file.readline(BLOCK)
                for line in re.findall(rb"[^\r\n]*[\x80-\xff][^\r\n]*", block):
                    lines.append(line)
                    length += len(line) + 1
    return b"\n".join(lines)[: 2 * _SAMPLE]


def _without_the_odd_byte(sample: bytes, name: str, judge: Callable[[str], float]) -> float:
    """What `judge` says of a long text of which a few lines are none of the encoding `name`."""
    good, bad = [], 0
    for line in sample.split(b"\n"):
        try:
            good.append(line.decode(name))
        except UnicodeDecodeError:
            bad += 1
    return judge("\n".join(good)) if good and bad * 1000 < len(good) else 0.0


def _high(text: str) -> Iterator[str]:
    return (character for character in text if character > "\x7f")


@cache
def _usual(codec: str, first: int, last: int) -> frozenset[str]:
    """The characters of a two-byte code whose first byte is in a range: the common ones are so."""
    return frozenset(
        bytes((lead, trail)).decode(codec, "ignore")
        for lead in range(first, last + 1)
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFF))
    ) - {""}


def _share(text: str, usual: frozenset[str], often: frozenset[str] = frozenset()) -> float:
    """The share of usual characters, a little more for those that are often."""
    characters = [c for c in _high(text) if not "\uff00" <= c <= "\uff60" and c not in "、。《》“”"]
    if not characters:
        return 0.0
    # letters with accents are made ideographs, of them and the next letter, within Latin words
    within = sum(map(len, re.findall(r"(?<=[A-Za-z])[^\0-\x7f]+(?=[a-z])", text)))
    count = sum(character in usual for character in characters) - within
    return (count + sum(character in often for character in characters) / 4) / len(characters)


def _japanese(text: str) -> float:
    kana = frozenset(map(chr, range(0x3041, 0x30FF)))
    return _share(text, kana | _usual("euc_jp", 0xB0, 0xCF), kana)


def _cyrillic(text: str) -> float:
    """The share of letters in words that are Cyrillic from end to end."""
    words = re.findall(r"[^\W\d_]+", text)
    high = [word for word in words if not word.isascii()]
    whole = [w for w in high if re.fullmatch(r"[А-Яа-яЁёІіЇїЄєҐґЎў]+", w) and _cased(w)]
    symbols = sum(character in "№«»—–„“”…€°" for character in _high(text))
    letters = sum(map(len, high))
    others = sum(1 for _ in _high(text)) - symbols - sum(len(w) for w in whole)
    # a letter alone tells nothing: it may be that of any language
    good = sum(len(w) - 0.5 * (len(w) == 1) for w in whole)
    vowels = sum(len(re.findall("[аеёиоуыэюяіїє]", w.lower())) for w in whole)
    if vowels < 0.3 * good and good > 10:  # Hebrew has the same bytes, and hardly vowels
        return 0.0
    return good / (letters + max(0, others)) if letters else 0.0


def _western(text: str) -> float:
    """The share of letters and signs of Western Europe, in words as they are written there."""
    characters = list(_high(text))
    good = sum(character in _WESTERN for character in characters)
    # signs amid a word are letters of another encoding
    good -= len(re.findall(r"(?<=[A-Za-z])[^\w\s\0-\x7f’·](?=[a-z])", text))
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    odd = sum(1 for w in words if len(w) > 3 and sum(c > "\x7f" for c in w) > len(w) / 2)
    odd += sum(not _cased(w) for w in words)
    return good / len(characters) * (1 - odd / len(words) if words else 1) if characters else 0.0


def _arabic(text: str) -> float:
    """The share of letters in words that are Arabic from end to end, a little more for usual ones.

    Persian and Urdu have a few letters of their own.
    """
    words = [w for w in re.findall(r"[^\W\d_]+", text) if re.fullmatch("[ء-يپچژکگی]+", w)]
    letters = sum(1 for character in _high(text) if character not in "\u200c\u200d،")
    often = sum(letter in "الميونرتبهدعسفقكة" for word in words for letter in word)
    # few letters tell nothing: they may be an ideograph
    good = sum(len(w) - 0.5 * (len(w) <= 2) for w in words)
    return (good + (often / 4 if good > 10 else 0)) / letters if letters else 0.0


def _cased(word: str) -> bool:
    return word in (word.lower(), word.upper()) or word[1:] == word[1:].lower()


_JUDGES: dict[str, Callable[[str], float]] = {
    "gb18030": lambda text: _share(text, _usual("gb2312", 0xB0, 0xD7), _OFTEN_IN_CHINESE),
    "big5hkscs": lambda text: _share(text, _usual("big5", 0xA4, 0xC6)),
    "cp932": _japanese,
    "euc_jp": _japanese,
    "cp949": lambda text: _share(text, _usual("euc_kr", 0xB0, 0xC8), _OFTEN_IN_KOREAN),
    "cp1251": _cyrillic,
    "cp1252": _western,
    "cp1256": _arabic,
}
