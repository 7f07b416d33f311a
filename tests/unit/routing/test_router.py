"""The router as its callers see it."""

from __future__ import annotations

import json
import threading
import zlib
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.routing import PreviousRoute, Route, Router
from bot.routing.features import BITS, features
from bot.routing.promotion import checked_router
from bot.routing.router import SHIPPED
from bot.routing.table import RouteTable
from bot.routing.text import HEAD, TAIL, fold, has_words

NOW = 1_000_000.0
ROUTER = Router.load()


def routed(message: str, **circumstances: object) -> Route:
    previous = circumstances.pop("previous", None)
    return ROUTER.route(message, previous=previous, now=NOW, **circumstances).route  # type: ignore[arg-type]


def before(route: Route, *, seconds: float = 10.0, scene: bool = False) -> PreviousRoute:
    return PreviousRoute(route, NOW - seconds, scene)


def test_the_shipped_table_is_at_most_a_megabyte() -> None:
    assert SHIPPED.stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ("what is the boiling point of water", Route.FACTUAL),
        ("write a poem about the sea", Route.CREATIVE),
        ("i feel so lonely tonight", Route.COMPANION),
        ("my prof is a nightmare, derivative of ln(3x)?", Route.FACTUAL),
        ("i don't want to live anymore", Route.COMPANION),
    ],
)
def test_plain_messages(message: str, route: Route) -> None:
    assert routed(message) is route


@pytest.mark.parametrize(
    "message",
    ["hi", "Wie alt ist der Rhein?", "你最喜欢什么？", "\U00020000" * 90, "so it goes, " * 90],
)
def test_a_score_is_the_sum_of_the_weights_of_its_features(message: str) -> None:
    assert ROUTER.table is not None
    line, _, packed = SHIPPED.read_bytes().partition(b"\n")
    weights, scale = zlib.decompress(packed), json.loads(line)["scale"]
    found = features(message)
    for lane, score in enumerate(ROUTER.table.raw(message)):
        assert score == pytest.approx(
            sum(
                scale * norm * sum(weights[4 * each + lane] - 128 for each in group)
                for norm, group in zip(found.norms(), found.groups(), strict=True)
            )
        )


@pytest.mark.parametrize("route", list(Route))
@pytest.mark.parametrize("message", ["another one", "why?", "yes", "thx", "lol", "👍", "..."])
def test_a_message_without_content_of_its_own_inherits_the_previous_route(
    message: str, route: Route
) -> None:
    assert routed(message, previous=before(route)) is route


def test_a_previous_turn_of_long_ago_resolves_nothing() -> None:
    decision = ROUTER.route("yes", previous=before(Route.FACTUAL, seconds=901), now=NOW)
    assert decision.continuation == 0.0
    assert routed("😂", previous=before(Route.FACTUAL, seconds=901)) is Route.COMPANION


def test_a_clear_request_leaves_the_previous_route() -> None:
    assert routed("write a poem about rain", previous=before(Route.FACTUAL)) is Route.CREATIVE


def test_without_the_previous_route_the_last_exchange_tells_it() -> None:
    history = [("user", "write a limerick about a baker"), ("assistant", "There once was a …")]
    assert routed("another one", history=history) is Route.CREATIVE


def test_an_emotional_line_inside_a_scene_stays_in_the_scene() -> None:
    scene = before(Route.CREATIVE, scene=True)
    assert routed("i'm so scared, please hold me", previous=scene) is Route.CREATIVE
    assert routed("i'm so scared, please hold me", in_scene=True) is Route.CREATIVE


def test_out_of_character_words_are_taken_as_they_are() -> None:
    scene = before(Route.CREATIVE, scene=True)
    text = "(( what is the capital of france? ))"
    assert routed(text, previous=scene) is Route.FACTUAL


def test_a_pin_decides_and_says_so() -> None:
    decision = ROUTER.route("write a poem", previous=None, pin=Route.FACTUAL, now=NOW)
    assert (decision.route, decision.source) == (Route.FACTUAL, "pin")


def test_distress_outranks_even_a_pin() -> None:
    decision = ROUTER.route(
        "write a poem", previous=None, pin=Route.FACTUAL, distress=True, now=NOW
    )
    assert (decision.route, decision.source) == (Route.COMPANION, "safety")


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_is_routed(message: str) -> None:
    for previous in (None, before(Route.CREATIVE, scene=True)):
        decision = ROUTER.route(message, previous=previous, now=NOW)
        assert sum(decision.probabilities.values()) == pytest.approx(1.0)
        assert 0.0 <= decision.continuation <= 1.0


@pytest.mark.parametrize(
    "message",
    [
        "a" * 1_000_000,
        "word " * 100_000,
        "\U0001f600" * 50_000,
        "`" * 9_999,
        "漢" * 60_000,
        "\ud800",
    ],
    ids=["one word", "many words", "emoji", "fences", "no spaces", "half a character"],
)
def test_length_and_broken_text_cost_next_to_nothing(message: str) -> None:
    ROUTER.route(message, previous=None, now=NOW)
    began = process_time()
    ROUTER.route(message, previous=None, now=NOW)
    assert process_time() - began < 0.05


def test_a_missing_model_falls_back_to_the_default_and_says_why(tmp_path: Path) -> None:
    router = Router.load(tmp_path / "none.table")
    decision = router.route("what is a monad", previous=None, now=NOW)
    assert decision.source == "default"
    assert decision.uncertain
    assert "none.table" in decision.reasons[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-40],
        lambda raw: raw[: len(raw) // 2] + b"\x00" + raw[len(raw) // 2 + 1 :],
        lambda raw: raw.replace(b'"schema":1', b'"schema":9', 1),
        lambda raw: raw.replace(b'"features":', b'"features":7', 1),
        lambda raw: b"not a table",
        lambda raw: b"{}\n" + raw,
        lambda raw: b"[" * 100_000,
        lambda raw: b"",
    ],
)
def test_a_damaged_model_is_never_used(tmp_path: Path, damage: object) -> None:
    file = tmp_path / "route.table"
    file.write_bytes(damage(SHIPPED.read_bytes()))  # type: ignore[operator]
    router = Router.load(file)
    assert router.problem
    assert router.route("hello", previous=None, now=NOW).source == "default"


def test_a_table_can_be_swapped_while_messages_are_routed() -> None:
    router = Router.load()
    other = checked_router(SHIPPED).table
    assert other is not None
    stop = threading.Event()
    failures: list[BaseException] = []

    def turns() -> None:
        while not stop.is_set():
            try:
                decision = router.route("tell me a joke", previous=None, now=NOW)
                assert decision.route is Route.CREATIVE
            except BaseException as error:  # whatever fails must reach the test
                failures.append(error)
                return

    workers = [threading.Thread(target=turns) for _ in range(3)]
    for worker in workers:
        worker.start()
    for _ in range(200):
        router.adopt(other)
    stop.set()
    for worker in workers:
        worker.join()
    assert not failures


@pytest.mark.parametrize("message", ["how tall is K2?", "write me a haiku", "", "🎉", "hi " * 400])
def test_a_message_that_was_read_before_is_routed_as_any_other(message: str) -> None:
    router = Router.load()
    router.read(message)
    assert router.route(message, previous=None, now=NOW) == ROUTER.route(
        message, previous=None, now=NOW
    )


def test_what_another_table_made_of_a_message_counts_no_more() -> None:
    table = ROUTER.table
    assert table is not None
    router = Router(RouteTable(table.header, bytes([129]) * (4 << BITS)))
    router.read("write a poem about the sea")
    router.adopt(table)
    assert router.route("write a poem about the sea", previous=None, now=NOW) == ROUTER.route(
        "write a poem about the sea", previous=None, now=NOW
    )


LINK = f"https://example.com/{'a1/' * 160}"
QUESTION = "how tall is the eiffel tower?"


@pytest.mark.parametrize(
    "message",
    [
        f"{LINK} {QUESTION}",
        f"{LINK} {QUESTION} {LINK}",
        f"{'🎉' * 450} {QUESTION}",
        f"{'🎉🥳' * 300}\n{QUESTION}\n{'🎉🥳' * 300}",
        f"{'- ' * 700}{QUESTION}",
        f"{'<@123456789012345678> ' * 30}{QUESTION}",
    ],
    ids=["link", "links", "emoji", "emoji around", "line", "mentions"],
)
def test_a_question_behind_a_long_link_or_a_row_of_signs_is_heard(message: str) -> None:
    assert has_words(message)
    assert "eiffel" in fold(message)
    assert routed(message, previous=before(Route.COMPANION)) is Route.FACTUAL


@pytest.mark.parametrize(
    "message", [LINK, f"{LINK} {LINK} 🎉", "🎉🥳" * 900, "<@1>" * 300, "*_" * 999]
)
def test_links_and_signs_alone_are_no_words_however_many(message: str) -> None:
    assert not has_words(message)


def test_signs_that_stand_for_many_letters_are_cut_as_well() -> None:
    assert len(fold("\ufdfa" * 4_000)) <= 4 * (HEAD + TAIL)
