"""What the observed cases do not show: time, words, budgets of books, hostile patterns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.conversation import Conversation
from bot.personas.book_reading import read_book
from bot.personas.coerce import Notes
from bot.prompting.kept import Kept
from bot.prompting.lore import (
    LoreResult,
    LoreSettings,
    LoreState,
    ScanMessage,
    Scene,
    candidates,
    length_at,
    prepare,
    read_state,
    scan,
)
from bot.prompting.lore.key_index import KeyIndex
from bot.prompting.lore.keys import EVALUATION_SECONDS, Haystack, Stopwatch, compile_key
from bot.prompting.lore.timed import MAX_EFFECTS, Effect, entry_key
from bot.prompting.macro_values import MacroContext
from tests.unit.prompting.build import exchange, turn_of


def entry(key: str, content: str = "X", **fields: Any) -> dict[str, Any]:
    return {
        "keys": [key] if key else [],
        "content": content,
        "enabled": True,
        "insertion_order": 100,
        "extensions": {},
        **fields,
    }


def look(
    entries: Sequence[dict[str, Any]],
    *texts: str,
    book: dict[str, Any] | None = None,
    **fields: Any,
) -> LoreResult:
    lore = read_book({"extensions": {}, **(book or {}), "entries": list(entries)}, Notes())
    values: dict[str, Any] = {
        "context": MacroContext(char="Sera", user="Ann"),
        "budget": 1_000,
        "count": lambda text: len(text.split()),
        "chance": lambda: 0.5,
        "length": len(texts),
        **fields,
    }
    chat = [ScanMessage("Ann", text, False) for text in texts]
    return scan([[lore]], Scene(chat=chat, **values), LoreSettings(depth=10))


def found(key: str, text: str, **options: Any) -> bool:
    values: dict[str, Any] = {"case_sensitive": False, "whole_words": True, **options}
    compiled = compile_key(key, **values)
    assert compiled is not None
    return compiled.found(Haystack(text), Stopwatch())


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("king", "the King's hall", True),
        ("king", "viking", False),
        ("кот", "мой кот спит", True),
        ("кот", "который", False),
        ("café", "un CAFÉ noir", True),
        ("cafe\u0301", "un café noir", True),
        ("straße", "die STRASSE", True),
        ("森林", "我在森林里", True),
        ("용", "용은 크다", True),
        ("ドラゴン", "赤いドラゴンだ", True),
        ("มังกร", "นั่นคือมังกรไฟ", True),
        ("c++", "I like C++.", True),
        ("c++", "abc++", False),
        ("$gold", "5 $gold pieces", True),
        ("o'brien", "Mr O'Brien", True),
        ("black cat", "blackest black cats", True),
        ("/drag[oa]ns?/i", "DRAGANS", True),
        ("/^dragon/", "a dragon", False),
        ("/(?<=a )dragon/", "a dragon", True),
        ("/[^]dragon/", "\ndragon", True),
        ("/a{1,2}b/", "aab", True),
        ("/\\[x\\]/", "[x]", True),
        ("/[[]x/", "[x", True),
        ("/\\A1/", "A1", True),
        ("/(?<w>a)\\k<w>/", "aa", True),
        ("/\\u{1F409}/u", "a 🐉", True),
        ("/^\\p{L}{4} \\p{Script=Greek}+$/u", "café πρός", True),
        ("/\\P{L}/u", "né", False),
        ("/a\\pL/", "ab", False),
        ("/x{e<=1}/", "y", False),
        ("/x{,2}y/", "x{,2}y", True),
        ("/dragon$/", "a dragon\n", False),
        ("/dragon$/m", "a dragon\nb", True),
        ("/a++/", "aa", False),
        ("/a/ii", "a", False),
        ("/\\bкот\\b/", "мой кот", True),
        ("c++", "c++17", False),
        ("$gold", "5$gold", False),
        ("森林", "abc森林def", True),
        ("python", "用python写", True),
        ("हिन", "हिन्दी", False),
        ("हिन्दी", "यह हिन्दी है", True),
        ("نَص", "هذا نَص", True),
        ("a_b", "x a_b y", True),
        ("b", "a_b", False),
    ],
)
def test_keys_match_as_people_expect(key: str, text: str, expected: bool) -> None:
    assert found(key, text) is expected


def test_a_pattern_sees_messages_and_recursion_as_one_text() -> None:
    entries = [
        entry("", "the wolf sleeps", constant=True),
        entry("/^(?!.*wolf).*forest/s", "no wolf about"),
        entry("/forest[^]*wolf/", "both"),
    ]
    result = look(entries, "a forest")
    assert [each.content for each in result.placed()] == [
        "the wolf sleeps", "no wolf about", "both"
    ]  # fmt: skip


literal = st.text(st.sampled_from("abAB кК森林-+'éß ́"), min_size=1, max_size=6)


@given(
    st.lists(st.tuples(literal, st.booleans(), st.booleans()), max_size=90),
    st.text(st.sampled_from("abAB кК森林-+'éß ́\n"), max_size=120),
)
@settings(max_examples=150, deadline=None)
def test_one_pass_finds_what_single_searches_find(
    keys: list[tuple[str, bool, bool]], text: str
) -> None:
    index = KeyIndex()
    single = []
    for key, case, whole in keys:
        alone = compile_key(key, case_sensitive=case, whole_words=whole)
        indexed = compile_key(key, case_sensitive=case, whole_words=whole, literal=index.literal)
        assert (alone is None) is (indexed is None)
        if alone is not None:
            single.append((indexed, alone.found(Haystack(text), Stopwatch())))
    found_together = index.found(Haystack(text))
    assert [key in found_together for key, _ in single] == [alone for _, alone in single]


def test_part_of_a_word_counts_where_the_entry_allows_it() -> None:
    assert found("king", "viking", whole_words=False)


def test_an_invalid_pattern_is_literal_unless_the_entry_says_it_is_one() -> None:
    assert found("/(/", "a /(/ b")
    assert not found("/(/", "a /(/ b", must_be_valid=True)


def test_a_hostile_pattern_costs_a_moment_and_is_told() -> None:
    bombs = [entry(f"/(a+)+{n}$/") for n in range(200)]
    began = time.process_time()
    result = look(bombs, "a" * 5_000 + "!")
    assert time.process_time() - began < EVALUATION_SECONDS * 10
    assert result.fired == ()
    assert result.warnings


@pytest.mark.parametrize("macro", ["user", "char", "group", "persona", "lastUserMessage"])
def test_what_a_person_says_in_a_pattern_is_no_pattern(macro: str) -> None:
    said = {"persona": ".*", "lastusermessage": ".*"}
    context = MacroContext(char=".*", user=".*", others=(".*",), values=said)
    waves = [entry("/{{" + macro + "}} waves/")]
    assert look(waves, "Bob, Ann waves", context=context).fired == ()
    as_it_stands = f"{context.expand('{{' + macro + '}}')} waves"
    assert len(look(waves, as_it_stands, context=context).fired) == 1


def test_a_chance_of_zero_never_happens() -> None:
    never = entry("x", extensions={"probability": 0, "useProbability": True})
    assert look([never], "x", chance=lambda: 0.0).fired == ()


def test_sticky_cooldown_and_delay_as_measured() -> None:
    """Sticky 3, cooldown 2, delay 2, the key in every message (reference, 2.1)."""
    timed = [entry("x", extensions={"sticky": 3, "cooldown": 2, "delay": 2})]
    state, seen = LoreState(), []
    for length in range(1, 11):
        result = look(timed, "x", length=length, state=state, turn=str(length))
        state = read_state(result.state.to_json())
        seen.append(bool(result.fired))
    assert seen == [bool(int(each)) for each in "0111001110"]


def test_a_new_answer_forgets_what_the_old_one_began() -> None:
    timed = [entry("x", extensions={"sticky": 5})]
    first = look(timed, "x", length=3, turn="1")
    again = look(timed, "y", length=3, state=first.state, turn="1")
    later = look(timed, "y", length=4, state=first.state, turn="2")
    assert (bool(first.fired), bool(again.fired), bool(later.fired)) == (True, False, True)


def test_an_entry_that_its_author_changed_starts_anew() -> None:
    first = look([entry("x", "old", extensions={"sticky": 5})], "x", length=1, turn="1")
    later = look([entry("x", "new", extensions={"sticky": 5})], "y", length=2, state=first.state)
    assert later.fired == ()


def test_matched_entries_are_remembered_for_their_decorators() -> None:
    keep = [
        entry("x", "@@keep_activate_after_match\nK"),
        entry("x", "@@dont_activate_after_match\nD"),
    ]
    first = look(keep, "x", length=1, turn="1")
    assert [each.content for each in first.fired] == ["K", "D"]
    later = look(keep, "x", length=2, state=read_state(first.state.to_json()), turn="2")
    assert [each.content for each in later.fired] == ["K"]


def test_the_length_goes_on_when_the_store_forgets() -> None:
    turn = turn_of("now", number=50)
    rows = [exchange(n, [("Ann", "q")], "a") for n in range(1, 6)]
    assert length_at(LoreState(), Conversation(turn.place, tuple(rows)), turn) == 11
    state = LoreState(turn="400", length=1_000)  # the question of exchange 4
    assert length_at(state, Conversation(turn.place, tuple(rows[3:])), turn) == 1_004
    assert length_at(state, Conversation(turn.place, ()), turn) == 1_001
    assert length_at(state, Conversation(turn.place, ()), turn_of("x", number=4)) == 1_000


def test_the_state_is_bounded_and_survives_rubbish() -> None:
    many = {f"{n}-x": Effect(n, n + 5) for n in range(MAX_EFFECTS * 3)}
    text = LoreState("1", 5, many, many, dict.fromkeys(many, 1)).to_json()
    assert len(text) < 40_000
    assert len(read_state(text).sticky) == MAX_EFFECTS
    for rubbish in ("", "[]", "{}", '{"turn":1}', "\x00", "[" * 9_000, '{"sticky":{"a":[1]}}'):
        assert read_state(rubbish) == LoreState()


def test_the_books_own_budget_and_priorities_count() -> None:
    entries = [
        entry("x", "one two", priority=1, insertion_order=9, name="low"),
        entry("x", "one two", priority=5, insertion_order=1, name="high"),
        entry("", "one", constant=True, priority=9, name="constant"),
    ]
    result = look(entries, "x", book={"token_budget": 3})
    assert [each.label for each in result.placed()] == ["high", "constant"]
    assert result.cut == ("low",)
    assert result.tokens == 3


def test_an_entry_that_fits_exactly_fits() -> None:
    assert look([entry("x", "one two")], "x", budget=2).fired
    assert not look([entry("x", "one two")], "x", budget=1).fired


def test_the_first_to_drop_is_dropped_first() -> None:
    entries = [entry("x", "@@ignore_on_max_context\na b", insertion_order=900), entry("x", "c d")]
    assert [each.content for each in look(entries, "x", budget=3).fired] == ["c d"]


def test_the_books_own_recursion_setting_counts() -> None:
    chain = [entry("x", "y"), entry("y", "Z")]
    assert len(look(chain, "x", book={"recursive_scanning": True}).fired) == 2
    assert len(look(chain, "x", book={"recursive_scanning": False}).fired) == 1


def test_hidden_keys_count_in_recursion_and_are_not_shown() -> None:
    result = look([entry("x", "seen {{hidden_key:y}}"), entry("y", "Z")], "x")
    assert [each.content for each in result.fired] == ["seen ", "Z"]


def test_entries_for_other_characters_stay_out() -> None:
    def only(names: list[str], *, exclude: bool) -> list[dict[str, Any]]:
        given_filter = {"names": names, "tags": [], "isExclude": exclude}
        return [entry("x", extensions={"character_filter": given_filter})]

    me = frozenset({"sera"})
    assert look(only(["Sera"], exclude=False), "x", names=me).fired
    assert not look(only(["Bram"], exclude=False), "x", names=me).fired
    assert not look(only(["SERA"], exclude=True), "x", names=me).fired


def test_triggers_limit_an_entry_to_kinds_of_generation() -> None:
    regenerating = [entry("x", extensions={"triggers": ["regenerate"]})]
    assert not look(regenerating, "x").fired
    assert look(regenerating, "x", trigger="regenerate").fired


def test_recursion_ends() -> None:
    circle = [entry(f"k{n}", f"k{n + 1} k{n}") for n in range(200)]
    assert len(look(circle, "k0").fired) <= 200


def test_duplicate_ids_are_two_entries() -> None:
    twins = [entry("x", "A", id=1), entry("x", "B", id=1)]
    result = look(twins, "x")
    assert len(result.fired) == 2
    assert len({entry_key(each.entry) for each in result.fired}) == 2


@given(
    st.lists(
        st.fixed_dictionaries(
            {"keys": st.lists(st.text(max_size=6), max_size=3), "content": st.text(max_size=30)},
            optional={
                "constant": st.booleans(),
                "secondary_keys": st.lists(st.text(max_size=4), max_size=2),
                "selective": st.booleans(),
                "extensions": st.dictionaries(
                    st.sampled_from(
                        ["sticky", "probability", "group", "position", "depth", "role"]
                    ),
                    st.integers(-5, 200) | st.text(max_size=3),
                    max_size=4,
                ),
            },
        ),
        max_size=8,
    ),
    st.lists(st.text(max_size=40), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_any_book_over_any_chat_keeps_its_budget(
    entries: list[dict[str, Any]], texts: list[str]
) -> None:
    result = look(entries, *texts, budget=10)
    assert result.tokens <= 10
    assert len({each.entry.index for each in result.fired}) == len(result.fired)
    again = look(entries, *texts, budget=10)
    assert [each.content for each in again.fired] == [each.content for each in result.fired]


@pytest.mark.parametrize(
    ("names", "tags", "exclude", "fires"),
    [
        ([], ["Elf"], False, True),
        ([], ["orc"], False, False),
        ([], ["elf"], True, False),
        ([], ["orc"], True, True),
        (["sera"], ["orc"], False, False),
        (["sera"], ["elf", "orc"], False, True),
        ([], ["6c6a7b58-93d7-4c1c-8a53-0f6a0a0f8a11"], False, False),
        ([], ["6c6a7b58-93d7-4c1c-8a53-0f6a0a0f8a11"], True, True),
    ],
)
def test_an_entry_is_for_characters_by_name_and_by_tag(
    names: list[str], tags: list[str], exclude: bool, fires: bool
) -> None:
    only = {"names": names, "tags": tags, "isExclude": exclude}
    result = look(
        [entry("dragon", extensions={"characterFilter": only})],
        "a dragon",
        names=frozenset({"sera"}),
        tags=frozenset({"elf"}),
    )
    assert bool(result.fired) is fires


def test_books_that_are_held_ready_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Kept[Any, Any](100, lambda each: each[1].size)
    monkeypatch.setattr(candidates, "_prepared", held)
    few, many = (
        [[read_book({"entries": [entry(f"k{n}") for n in range(count)]}, Notes())]]
        for count in (5, 48)
    )
    matching = LoreSettings().matching
    first = prepare(few, matching)
    assert prepare(few, matching) is first
    prepare(many, matching)  # an entry and a key each
    assert prepare(few, matching) is not first
