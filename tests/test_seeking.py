"""The steps of a search: what is said where no fit has succeeded."""

import math
from types import SimpleNamespace

import pytest

from pellucid.cli import spaces
from pellucid.cli.seeking import Seeking


@pytest.mark.parametrize(("failure", "said"), [
    ("", "Got none: none fails when it is made again, here."),
    ("X must be finite. Remove the row.", "Got none: X must be finite. Remove the row."),
])  # fmt: skip
def test_a_search_without_any_score_ends_in_a_whole_sentence(failure, said):
    """Also where the fits fail on other machines only."""
    seeking = object.__new__(Seeking)
    seeking.__dict__["search"] = SimpleNamespace(best=None, usual=None, failure=lambda: failure)
    with pytest.raises(ValueError, match="must have a trial without a failure") as error:
        seeking.fit_best()
    assert str(error.value).endswith(said)


def test_all_of_few_whole_numbers_are_tried_once():
    """Twenty that are drawn from three are the same three again and again."""
    space = spaces.parse(["num_layers=1..3", "bias=a,b"], {"num_layers": int, "bias": str}, str)
    assert spaces.size(space) == 6
    assert spaces.listed(space) == {"num_layers": [1, 2, 3], "bias": ["a", "b"]}
    space = spaces.parse(["dropout=0..1"], {"dropout": float}, str)
    assert spaces.size(space) == math.inf
