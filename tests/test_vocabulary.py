"""Which tokens are known: the most frequent that are seen often enough, in words too."""

from pellucid.data.vocabulary import Vocabulary

COUNTS = {"b": 3, "a": 3, "once": 1, "often": 9, "twice": 2}


def test_the_most_frequent_come_first_and_rare_ones_not_at_all():
    assert Vocabulary(10, 2).of(COUNTS) == ["often", "a", "b", "twice"]
    assert Vocabulary(10, 1).of(COUNTS)[-1] == "once"
    assert Vocabulary(10, 10).of(COUNTS) == []


def test_size_cuts_off_the_rarest_of_equal_ones_by_their_letters():
    assert Vocabulary(2, 1).of(COUNTS) == ["often", "a"]
    assert Vocabulary(2, 1).of(dict(reversed(COUNTS.items()))) == ["often", "a"]


def test_words_say_which_are_known():
    assert Vocabulary(10, 2).words(4) == "those seen at least twice"
    assert Vocabulary(10, 1).words(4) == "those seen at least once"
    assert Vocabulary(4, 5).words(4) == "those, the most frequent, seen at least 5 times"
