"""Training from a corpus to a table that serves."""

from __future__ import annotations

import lzma
import random
import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.routing import Route, Router, promotion
from bot.routing.calibration import fitted_temperature
from bot.routing.corpus import CORPUS, LABELS, POOL, Corpus, Example, pooled
from bot.routing.dataset import Labelled, read_labelled
from bot.routing.learning import Rows, fit, softmax
from bot.routing.promotion import (
    checked_router,
    judgement,
    promote,
    rollback,
    shipped_fixture,
)
from bot.routing.router import SHIPPED
from bot.routing.table import read_table, write_table
from bot.routing.training import DRAWS, train
from tests.untaught import FIXTURES, as_read, says_little

OFFSET = SHIPPED.read_bytes().index(b"\n") + 1
NOTHING = b"\x80" * 4
SMALL = """
@lang en
@slot city
paris|rome
oslo
@opener
hey
@disclosure
i am tired
@factual
what is the capital of {city}
how far is {city} from here
how do i fix my [bike|car|router]
@creative
write a poem about {city}
tell me a [joke|story] about {city}
invent a name for my cat
@companion
i feel sad today
good morning
do you like me
@continuation
another one
why
and {city}?
"""


@pytest.fixture
def small(tmp_path: Path) -> Corpus:
    (tmp_path / "small.txt").write_text(SMALL, encoding="utf-8")
    return Corpus.read(tmp_path)


def test_templates_are_filled_from_slots_and_alternatives(small: Corpus) -> None:
    texts = {example.text for example in small.examples()}
    assert texts & {f"write a poem about {city}" for city in ("paris", "rome", "oslo")}
    assert texts & {f"how do i fix my {thing}" for thing in ("bike", "car", "router")}
    assert not any("{" in text or "[" in text for text in texts)


def test_a_request_beside_a_disclosure_keeps_its_label(small: Corpus) -> None:
    told = [e for seed in range(20) for e in small.examples(seed=seed) if "i am tired" in e.text]
    assert told
    assert {each.label for each in told} <= {"factual", "creative"}


def test_a_sign_of_distress_is_no_mere_disclosure(tmp_path: Path) -> None:
    text = "@lang en\n@companion\ni took too many pills\n@factual\n"
    text += "".join(f"what is the capital of country {number}\n" for number in range(60))
    (tmp_path / "one.txt").write_text(text, encoding="utf-8")
    examples = Corpus.read(tmp_path).examples()
    assert {each.label for each in examples if "pills" in each.text} == {"companion"}


def test_a_template_may_hold_line_breaks_and_knows_its_file(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("@lang en\n@factual\nfix this:⏎x = 1", encoding="utf-8")
    example = Corpus.read(tmp_path).examples()[0]
    assert (example.text, example.batch) == ("fix this:\nx = 1", "one")


def test_the_corpus_expands_the_same_way_every_time(small: Corpus) -> None:
    assert small.examples() == small.examples()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("hello", "outside of a section"), ("@poetic\nx", "unknown section")],
)
def test_a_wrong_corpus_file_is_named_with_its_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "bad.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        Corpus.read(tmp_path)


def test_the_shipped_corpus_is_large_and_speaks_many_languages() -> None:
    corpus = Corpus.read()
    written = corpus.examples()
    assert len(written) >= 8_000
    assert len(corpus.languages()) >= 12
    for lang in corpus.languages():
        assert all(corpus.templates.get((lang, label)) for label in LABELS), lang


def test_no_template_names_a_slot_that_does_not_exist() -> None:
    left = {each.text for each in Corpus.read().examples() if "{" in each.text and "}" in each.text}
    assert not {text for text in left if "```" not in text and "=" not in text}


def test_no_line_of_a_fixture_is_training_text() -> None:
    corpora = [Corpus.read(), Corpus.read(CORPUS / "encoder")]
    texts = {e.text for corpus in corpora for seed in DRAWS for e in corpus.examples(seed=seed)}
    texts |= {each.text for each in pooled()}
    fixtures = [each for file in FIXTURES.glob("*.jsonl") for each in read_labelled(file)]
    lines = {as_read(each.text) for each in fixtures}
    lines = {line for line in lines if not says_little(line)}
    assert len(read_labelled(FIXTURES / "dev.jsonl")) >= 600
    assert len(lines) > 1_500
    assert not lines & set(map(as_read, texts))


def test_the_teachers_pool_reads_as_probabilities(tmp_path: Path) -> None:
    file = tmp_path / "pool.txt.xz"
    file.write_bytes(lzma.compress(b"90050302 what is a quark\n00009900 gm 12\n"))
    some = pooled(file)
    assert [each.text for each in some] == ["what is a quark", "gm 12"]
    assert [each.label for each in some] == ["factual", "companion"]
    assert all(each.shares and abs(sum(each.shares) - 1.0) < 1e-9 for each in some)


def test_the_shipped_pool_is_large_and_of_the_right_form() -> None:
    lines = lzma.decompress(POOL.read_bytes()).decode().split("\n")[:-1]
    assert len(lines) == 80_000
    assert all(re.fullmatch(r"\d{8} .+", line) for line in lines[::1000])


def test_a_line_that_is_none_of_the_pool_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pool.txt.xz"
    file.write_bytes(lzma.compress(b"90050302 fine\n12 wrong\n"))
    with pytest.raises(ValueError, match="xz:2"):
        pooled(file)


def test_two_trainings_give_the_same_bytes(small: Corpus) -> None:
    assert train(small).file == train(small).file


def test_a_trained_table_routes_what_it_was_taught(small: Corpus, tmp_path: Path) -> None:
    file = tmp_path / "route.table"
    file.write_bytes(train(small).file)
    router = Router.load(file)
    assert router.problem is None
    decision = router.route("write a poem about rome", previous=None, now=0.0)
    assert decision.route is Route.CREATIVE


def test_corrections_weigh_more_than_the_corpus(small: Corpus, tmp_path: Path) -> None:
    text = "what is the capital of boredom"
    file = tmp_path / "route.table"
    file.write_bytes(train(small, [Example(text, "companion", "en", 1.0)] * 3).file)
    decision = Router.load(file).route(text, previous=None, now=0.0)
    assert decision.route is Route.COMPANION


def test_the_learner_finds_a_line_between_two_classes() -> None:
    chance = np.random.default_rng(3)
    points = chance.normal(size=(400, 5)).astype(np.float32)
    labels = (points[:, 0] - points[:, 1] > 0).astype(np.int64)
    columns = np.tile(np.arange(5, dtype=np.int32), 400)
    rows = Rows(columns, points.ravel(), np.arange(0, 2001, 5), 5)
    every = np.arange(400)
    weights = fit(rows, np.eye(4)[labels], np.ones(400), every, passes=30)
    scores = rows.times(weights, every)[:, :3].astype(np.float64)
    # Not all of it: each pass leaves features out, and here are only five.
    assert (scores.argmax(axis=1) == labels).mean() > 0.95
    assert softmax(scores).sum(axis=1) == pytest.approx(1.0)


def test_long_messages_are_cooled_apart_where_their_words_promise_too_much(
    tmp_path: Path,
) -> None:
    chance = random.Random(3)
    openings = {"factual": "explain how", "creative": "write a tale of", "companion": "i miss"}
    for number in range(3):
        lines = ["@lang en"]
        for label, opening in openings.items():
            lines.append(f"@{label}")
            lines += [f"{opening} river{chance.randrange(99)}" for _ in range(30)]
            # What stands in long ones says nothing of their label.
            said = [random.Random(at).choice(list(openings.values())) for at in range(20)]
            lines += [f"{' '.join(chance.sample(said, 20))} and so on" for _ in range(20)]
        lines += ["@continuation", *("more", "why", "another one")]
        (tmp_path / f"voice{number}.txt").write_text("\n".join(lines), encoding="utf-8")
    path = tmp_path / "route.table"
    path.write_bytes(train(Corpus.read(tmp_path)).file)
    assert read_table(path).header.long_heat > 1.5


def test_the_temperature_cools_boastful_scores() -> None:
    scores = np.array([[4.0, 0.0]] * 100)
    labels = np.array([0] * 70 + [1] * 30)
    assert fitted_temperature(scores, labels) > 3.0


FIXTURE = [
    Labelled("what is the capital of peru", Route.FACTUAL),
    Labelled("write a poem about the sea", Route.CREATIVE),
    Labelled("i feel so lonely", Route.COMPANION),
]


def test_a_table_that_forgot_plain_messages_is_not_promoted(small: Corpus, tmp_path: Path) -> None:
    new = tmp_path / "new.table"
    new.write_bytes(train(small).file)
    verdict = judgement(new, SHIPPED, FIXTURE)
    assert not verdict.promoted
    assert "canary" in verdict.reason
    with pytest.raises(ValueError, match="of 72 canary messages right, and needs 70"):
        checked_router(new)


def test_a_table_with_a_third_of_its_weights_gone_is_not_promoted(tmp_path: Path) -> None:
    table, weights = read_table(SHIPPED), bytearray(zlib.decompress(SHIPPED.read_bytes()[OFFSET:]))
    chance = random.Random(1)
    for bucket in range(0, len(weights), 4):
        if chance.random() < 0.35:
            weights[bucket : bucket + 4] = NOTHING
    worse = tmp_path / "worse.table"
    worse.write_bytes(write_table(table.header, bytes(weights)))
    assert checked_router(worse).problem is None, "the canaries don't see it"
    verdict = judgement(worse, SHIPPED, shipped_fixture())
    assert not verdict.promoted
    assert "macro-F1 falls" in verdict.reason


@pytest.mark.parametrize(("after", "promoted"), [(0.9, True), (0.8901, True), (0.8899, False)])
def test_a_table_may_lose_a_hundredth_of_its_macro_f1_and_no_more(
    monkeypatch: pytest.MonkeyPatch, after: float, promoted: bool
) -> None:
    scores = iter([0.9, after])
    monkeypatch.setattr(promotion, "macro_f1", lambda _: next(scores))
    verdict = judgement(SHIPPED, SHIPPED, FIXTURE)
    assert verdict.promoted is promoted
    assert (verdict.before, verdict.after) == (0.9, after)


def test_the_messages_that_judge_a_promotion_are_those_of_the_fixtures() -> None:
    assert shipped_fixture() == [
        each for name in ("dev", "leaving") for each in read_labelled(FIXTURES / f"{name}.jsonl")
    ]


def test_an_equal_table_is_promoted(tmp_path: Path) -> None:
    new = tmp_path / "new.table"
    new.write_bytes(SHIPPED.read_bytes())
    assert judgement(new, SHIPPED, FIXTURE).promoted


def test_rollback_brings_the_previous_table_back_and_then_the_shipped_one(tmp_path: Path) -> None:
    target = tmp_path / "route.table"
    table, weights = read_table(SHIPPED), zlib.decompress(SHIPPED.read_bytes()[OFFSET:])
    first, second = (
        write_table(replace(table.header, threshold=each), weights) for each in (0.66, 0.67)
    )
    for content in (first, second):
        new = tmp_path / "new"
        new.write_bytes(content)
        promote(new, target)
    assert target.read_bytes() == second
    withdrawn = tmp_path / "route.table.withdrawn"
    rollback(target)
    assert (target.read_bytes(), withdrawn.read_bytes()) == (first, second)
    assert "shipped" in rollback(target)
    assert withdrawn.read_bytes() == first
    assert not target.exists()
    with pytest.raises(FileNotFoundError):
        rollback(target)
