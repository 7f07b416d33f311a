"""Why a message took its route is told in the reader's language."""

from __future__ import annotations

import pytest

from bot.adapters.discord.commands.route import route_text
from bot.chat.account import route_summary
from bot.languages import LANGUAGES, reading
from bot.languages.catalogue import fields_of
from bot.routing import reasons
from bot.routing.policy import certain
from bot.routing.reasons import ALL, because, in_words
from bot.routing.route import Route

VALUES = {
    "route": "creative",
    "other": "factual",
    "margin": "0.60",
    "times": "6.0",
    "share": "0.80",
    "alike": "93%",
    "source": "pin",
    "failure": "deadline",
}


def test_every_reason_is_known() -> None:
    named = {
        value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)
    }
    assert named == set(ALL)


@pytest.mark.parametrize("source", ALL)
def test_a_reason_is_told_in_the_reader_s_language_with_its_values(source: str) -> None:
    reason = because(source, **VALUES)
    assert in_words(reason) == reason
    for language in LANGUAGES:
        with reading(language):
            told = in_words(reason)
        assert "{" not in told
        assert all(VALUES[field] in told for field in fields_of(source))
        assert (told == reason) == (language == "en")


def test_what_is_wrong_with_a_file_stays_as_it_is() -> None:
    with reading("de"):
        assert in_words("routes.table: no such file") == "routes.table: no such file"


def test_a_person_reads_the_reasons_of_a_route_in_their_language() -> None:
    decision = route_summary(certain(Route.COMPANION, "safety", reasons.CARE))
    with reading("de"):
        text = route_text(decision)
    assert reasons.CARE not in text
    assert "Grund" in text or "Weil" in text
