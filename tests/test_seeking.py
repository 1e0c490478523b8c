"""The steps of a search: what is said where no fit has succeeded."""

from types import SimpleNamespace

import pytest

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
