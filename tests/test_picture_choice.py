"""What pictures of several sizes, colours and depths become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.picture_choice import MOST_PIXELS, Choice, usual_size
from pellucid.data.pictures import Header


def choice(*headers, size=None, color="auto", resize="stretch", most=MOST_PIXELS):
    return Choice(dict(enumerate(headers)), size, color, resize, most, lambda i: f"'{i}.png'")


GREY, COLOUR = Header(8, 9, 1, "bytes"), Header(8, 9, 3, "bytes")


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_large_sizes_are_shrunk_in_proportion(height, width):
    small = usual_size(height, width)
    assert small[0] * small[1] <= MOST_PIXELS and min(small) >= 1
    assert small[0] <= height and small[1] <= width
    if height * width <= MOST_PIXELS:
        assert small == (height, width)
    elif min(small) >= 20:
        assert small[0] * small[1] > 0.85 * MOST_PIXELS
        assert small[0] / small[1] == pytest.approx(height / width, rel=0.06)


def test_pictures_of_one_size_stay_as_they_are():
    made = choice(COLOUR, COLOUR)
    assert made.wanted[:5] == (8, 9, 3, "bytes", None) and made.notes == []


def test_a_large_size_is_said_to_be_shrunk():
    made = choice(*[Header(3000, 4000, 3, "bytes")] * 3)
    assert made.wanted[:5] == (110, 148, 3, "bytes", "stretch")
    assert made.notes == [
        "pictures of 3000 x 4000 are resized to 110 x 148; image_size sets another"
    ]
    several = choice(Header(300, 400, 3, "bytes"), Header(600, 800, 3, "bytes"), resize="pad")
    assert several.wanted[:2] == (110, 148) and several.wanted.resize == "pad"
    assert several.notes == [
        "pictures of 2 sizes, 300 x 400 to 600 x 800, are resized to 110 x 148, the proportions of "
        "their median; image_size sets another"
    ]
    assert choice(Header(3000, 4000, 3, "bytes"), most=None).wanted.resize is None
    assert choice(Header(3000, 4000, 3, "bytes"), size=(300, 400)).wanted[:2] == (300, 400)


@pytest.mark.parametrize(
    ("headers", "channels", "notes"),
    (
        ((GREY, COLOUR, COLOUR), 3,
         ["1 of 3 pictures, '0.png', is grey and is converted to colour as the others are; "
          'color="grey" makes all so']),
        ((GREY, COLOUR), 3,
         ["1 of 2 pictures, '0.png', is grey and is converted to colour as the others are; "
          'color="grey" makes all so']),
        ((GREY, COLOUR, GREY, COLOUR, GREY), 1,
         ["2 of 5 pictures, the first '1.png', are in colour and are converted to grey as the "
          'others are; color="rgb" makes all so']),
    ),
)  # fmt: skip
def test_most_decide_on_the_colour(headers, channels, notes):
    made = choice(*headers)
    assert made.wanted.channels == channels and made.notes == notes
    assert choice(*headers, color="grey").wanted.channels == 1
    assert choice(*headers, color="rgb").notes == []


def test_most_decide_on_the_depth_and_numbers_are_no_depth():
    deep, number = (Header(8, 9, 1, kind) for kind in ("sixteen", "float"))
    assert choice(GREY, GREY, deep).wanted.kind == "bytes"
    assert choice(GREY, deep).wanted.kind == "sixteen"
    assert choice(GREY, GREY, deep).notes == [
        "1 of 3 pictures, '2.png', is of 16 bits and is converted to 8 bits as the others are"
    ]
    assert choice(GREY, number).wanted.kind == "bytes"
    assert choice(GREY, number, number).wanted.kind == "float"
    assert choice(number, GREY, GREY).notes == []


def test_colour_of_sixteen_bits_is_said_to_be_read_as_eight():
    made = choice(COLOUR, COLOUR._replace(narrowed=True))
    assert made.notes == [
        "1 of 2 pictures, '1.png', is in colour of 16 bits a channel and is read as 8 bits, as "
        "Pillow does"
    ]
