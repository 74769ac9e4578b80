"""Keys of quarters from what people write, and back."""

from __future__ import annotations

import pytest

from common.periods import quarter_vi
from common.quarters import ROMAN, quarter_key


@pytest.mark.parametrize(("place", "roman"), enumerate(ROMAN, start=1))
def test_every_way_of_writing_a_quarter_is_its_key_and_the_key_is_printed(place: int, roman: str) -> None:
    key = f"2023-Q{place}"
    assert {quarter_key("2023", written) for written in (roman, roman.lower(), str(place))} == {key}
    assert quarter_vi(key) == f"Quý {roman}/2023"


@pytest.mark.parametrize("written", ["0", "5", "10"])
def test_what_is_no_quarter_of_a_year_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a quarter of a year"):
        quarter_key("2023", written)
