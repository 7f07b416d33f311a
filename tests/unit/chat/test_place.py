"""Discord's ids as times, and ids that are none of Discord's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.place import made_up_snowflake, snowflake_at, snowflake_seconds


@given(st.integers(1_420_070_400_000, 2_000_000_000_000))
def test_the_first_id_of_a_moment_tells_that_moment(milliseconds: int) -> None:
    ident = snowflake_at(milliseconds / 1000)
    assert snowflake_seconds(ident) == milliseconds / 1000
    assert snowflake_seconds(ident - 1) < milliseconds / 1000


@given(st.binary(min_size=8))
def test_a_made_up_id_is_of_a_time_that_is_far_away(digest: bytes) -> None:
    assert 4_000_000_000_000_000_000 < made_up_snowflake(digest) < 2**63
