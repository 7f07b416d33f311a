"""Estimates, their calibration, and exact counts from a vocabulary."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompting import TokenEstimator
from bot.prompting.tokens import (
    MAX_MODELS,
    MAX_REMEMBERED,
    PER_MESSAGE,
    PER_PROMPT,
    _ascii_runs,
    _Learnt,
    _runs,
    _shape_of,
    raw_shape,
)
from bot.prompting.vocabulary import _BYTES, available, exact_counter
from bot.recent import Recent

COUNTED = [
    ("Hello, how are you today? I was thinking about what you said.", 15),
    ("Ich habe gestern im Wald eine alte Freundin getroffen, und wir haben lange geredet.", 22),
    ("J'ai rencontré hier une vieille amie dans la forêt, et nous avons longtemps parlé.", 22),
    ("Ayer encontré a una vieja amiga en el bosque y hablamos durante mucho tiempo.", 22),
    ("Tapasin eilen metsässä vanhan ystäväni, ja puhuimme pitkään kaikesta.", 31),
    ("Ik heb gisteren in het bos een oude vriendin ontmoet en we hebben lang gepraat.", 24),
    ("Spotkałem wczoraj w lesie starą przyjaciółkę i długo rozmawialiśmy.", 27),
    ("Dün ormanda eski bir arkadaşımla karşılaştım ve uzun uzun konuştuk.", 26),
    ("Вчера в лесу я встретил старую подругу, и мы долго разговаривали.", 26),
    ("Вчора в лісі я зустрів давню подругу, і ми довго розмовляли.", 32),
    ("Χθες στο δάσος συνάντησα μια παλιά φίλη και μιλήσαμε πολλή ώρα.", 53),
    ("التقيت أمس في الغابة بصديقة قديمة وتحدثنا طويلا.", 21),
    ("אתמול פגשתי ביער חברה ותיקה ודיברנו זמן רב.", 44),
    ("دیروز در جنگل یک دوست قدیمی را دیدم و مدتی طولانی صحبت کردیم.", 39),
    ("कल जंगल में मेरी एक पुरानी दोस्त से मुलाकात हुई और हमने देर तक बातें कीं।", 65),
    ("গতকাল বনে আমার এক পুরনো বন্ধুর সাথে দেখা হয়েছিল এবং আমরা অনেকক্ষণ কথা বলেছি।", 98),
    ("นเมื่อวานฉันพบเพื่อนเก่าในป่าและเราคุยกันนานมาก", 26),
    ("Hôm qua tôi gặp một người bạn cũ trong rừng và chúng tôi nói chuyện rất lâu.", 20),
    ("Kemarin saya bertemu teman lama di hutan dan kami mengobrol lama sekali.", 23),
    ("어제 숲에서 오랜 친구를 만나 오랫동안 이야기했어요.", 20),
    ("昨日、森で古い友人に会って、長い間話をしました。", 20),
    ("昨天我在森林里遇见了一位老朋友，我们聊了很久。", 20),
    ("昨天我在森林裡遇見了一位老朋友，我們聊了很久。", 22),
    (
        """for index, value in enumerate(values):
    if value > limit:
        raise ValueError(f"{index}: {value}")
""",
        25,
    ),
    ('{"name": "Wren", "tags": ["a", "b"], "depth": 4, "ratio": 0.25, "on": true}', 36),
    ("1234567890 and 3.14159265", 22),
    ("🎉😀🥰👩\u200d👩\u200d👧👍🏽❤️", 40),
]

ENGLISH = "You are the keeper of the tower and it is late. " * 20
GREEK = "Η τιμή έχει σωστή μορφή αλλά δεν είναι έγκυρη. " * 20


@pytest.mark.parametrize(
    ("text", "actual"),
    # Counted by the tokenizers of Llama 3, Llama 4, Qwen and Mistral Nemo: the most of the four.
    COUNTED,
)
def test_estimates_are_on_the_safe_side(text: str, actual: int) -> None:
    assert TokenEstimator().estimate(text) >= actual * 0.9


def raw_estimate(text: str) -> float:
    """Return the tokens of a text before any correction."""
    return sum(raw_shape(text).values())


def test_estimates_of_english_are_near() -> None:
    estimate = TokenEstimator().estimate("The quick brown fox jumps over the lazy dog. " * 5)
    assert 48 <= estimate <= 65


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_ascii_is_counted_as_any_text_is(text: str) -> None:
    assert _shape_of(*_ascii_runs(text)) == pytest.approx(_shape_of(*_runs(text)))


def prompt_of(model_ratio: float, *texts: str) -> int:
    """Return what a model would count that needs so much of what is estimated at first."""
    whole = sum(raw_estimate(text) for text in texts) * model_ratio
    return round(whole) + PER_MESSAGE * len(texts) + PER_PROMPT


def test_a_model_teaches_its_counts_and_no_other() -> None:
    estimator = TokenEstimator()
    before = estimator.estimate(ENGLISH, "m")
    for _ in range(20):
        estimator.calibrate("m", [ENGLISH], prompt_of(1.5, ENGLISH))
    assert estimator.estimate(ENGLISH, "m") == pytest.approx(before * 1.5, rel=0.06)
    assert estimator.estimate(ENGLISH, "m") >= before * 1.5
    assert estimator.estimate(ENGLISH, "other") == before


def test_each_script_learns_for_itself() -> None:
    estimator = TokenEstimator()
    before = estimator.estimate(ENGLISH, "m")
    for _ in range(10):
        estimator.calibrate("m", [ENGLISH], prompt_of(1.0, ENGLISH))
    truth = prompt_of(1.0, ENGLISH) + round(raw_estimate(GREEK) * 0.5)
    for _ in range(30):
        estimator.calibrate("m", [ENGLISH, GREEK], truth + PER_MESSAGE)
    assert estimator.estimate(ENGLISH, "m") >= before
    assert estimator.estimate(GREEK, "m") == pytest.approx(raw_estimate(GREEK) * 0.5, rel=0.2)


def test_too_low_an_estimate_is_mended_at_once() -> None:
    estimator = TokenEstimator()
    estimator.calibrate("m", [ENGLISH], prompt_of(1.6, ENGLISH))
    assert estimator.estimate(ENGLISH, "m") >= raw_estimate(ENGLISH) * 1.55


def test_a_text_that_was_estimated_before_is_at_most_a_percent_out_of_date() -> None:
    asked, met = TokenEstimator(), []
    for ratio in (1.0, 1.4, 1.4, 1.41, 1.38, 1.4, 1.42, 1.4, 0.9, 1.4):
        asked.estimate(ENGLISH, "m")
        met.append(prompt_of(ratio, ENGLISH))
        asked.calibrate("m", [ENGLISH], met[-1])
        fresh = TokenEstimator()
        for actual in met:
            fresh.calibrate("m", [ENGLISH], actual)
        anew = fresh.estimate(ENGLISH, "m")
        assert asked.estimate(ENGLISH, "m") == pytest.approx(anew, rel=0.011, abs=1)


def taught(times: int) -> TokenEstimator:
    """Return an estimator that a model taught as often that it was right."""
    estimator = TokenEstimator()
    for _ in range(times):
        estimator.calibrate("m", [ENGLISH], prompt_of(1.0, ENGLISH))
    return estimator


def learns_of(estimator: TokenEstimator, actual: int, estimated: int) -> int:
    """Return of how many in 16 prompts an estimator learns: whether it reads what they said."""
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        read += 1
        yield ENGLISH

    for _ in range(16):
        estimator.calibrate("m", texts(), actual, estimated=estimated)
    return read


def test_of_counts_that_were_expected_it_soon_learns_only_now_and_then() -> None:
    actual = prompt_of(1.0, ENGLISH)
    assert learns_of(taught(5), actual, actual + 5) == 16
    assert learns_of(taught(40), actual, actual + 5) == 2


def test_of_counts_that_were_not_expected_it_always_learns() -> None:
    actual = prompt_of(1.0, ENGLISH)
    assert learns_of(taught(40), actual, actual - 5) == 16
    assert learns_of(taught(40), actual, round(actual * 1.3)) == 16


def test_a_small_vocabulary_is_expected_to_take_more() -> None:
    estimator = TokenEstimator()
    before = estimator.estimate(GREEK, "m")
    estimator.expect_small("m")
    assert estimator.estimate(GREEK, "m") > before * 1.5
    assert estimator.estimate(GREEK, "other") == before


def test_absurd_counts_do_not_spoil_it() -> None:
    estimator = TokenEstimator()
    before = estimator.estimate(ENGLISH, "m")
    estimator.calibrate("m", [], 500)
    estimator.calibrate("m", [ENGLISH], 3)
    assert estimator.estimate(ENGLISH, "m") == before
    for _ in range(50):
        estimator.calibrate("m", [ENGLISH], 10**9)
    assert estimator.estimate(ENGLISH, "m") <= before * 3.2
    for _ in range(200):
        estimator.calibrate("m", [ENGLISH], 60)
    assert estimator.estimate(ENGLISH, "m") >= before * 0.2


@given(st.text(max_size=200))
def test_any_text_has_an_estimate(text: str) -> None:
    assert 0 < TokenEstimator().estimate(text + "x") <= 8 * (len(text) + 1)


def test_it_remembers_boundedly_and_no_text() -> None:
    estimator = TokenEstimator()
    for number in range(MAX_REMEMBERED + 50):
        estimator.estimate(f"secret {number}", f"model {number}")
    for number in range(MAX_MODELS + 5):
        estimator.calibrate(f"m{number}", ["word " * 50], 120)
    assert len(estimator._remembered) == MAX_REMEMBERED
    assert len(estimator._learnt) == MAX_MODELS
    assert len(estimator.met) == MAX_MODELS
    assert all(isinstance(key, int) for key in estimator._remembered)


def test_a_prompt_of_a_thread_is_counted_while_its_model_teaches_something_new() -> None:
    estimator = TokenEstimator()

    class Between(Recent[str, dict[int, int]]):
        def move_to_end(self, key: str, last: bool = True) -> None:
            loop = threading.Thread(target=estimator.expect_small, args=(key,))
            loop.start()
            loop.join(0.05)
            super().move_to_end(key, last)

    estimator._estimates = Between(MAX_MODELS)
    assert estimator.estimate("some words", "m")


def test_a_model_teaches_while_a_thread_meets_another_script() -> None:
    class Met(defaultdict[str, float]):
        def __getitem__(self, group: str) -> float:
            self.setdefault(f"{group} and more", 1.0)
            return super().__getitem__(group)

    learnt = _Learnt(Met(float, latin=1.0), in_use={"latin": 1.0, "latin and more": 1.0})
    assert not learnt.moved()


def test_an_exact_count_is_used_when_it_is_known() -> None:
    estimator = TokenEstimator()
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text)

    estimator.teach("m", count)
    assert [estimator.estimate("abcd", "m") for _ in range(3)] == [4, 4, 4]
    assert counted == ["abcd"]  # history is counted again each turn
    assert estimator.margin("m") < estimator.margin("other")


def byte_level(pre: str = "llama-bpe") -> dict[str, object]:
    letters = sorted(_BYTES)
    merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "Ġw o", "r l", "Ġwo rl", "Ġworl d", "broken"]
    words = ["he", "ll", "hell", "hello", "Ġw", "Ġwo", "rl", "Ġworl", "Ġworld"]
    return {
        "model_info": {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": pre,
            "tokenizer.ggml.tokens": [*letters, *words],
            "tokenizer.ggml.merges": merges,
        }
    }


needs_tokenizers = pytest.mark.skipif(not available(), reason="the extra is not installed")


@needs_tokenizers
@pytest.mark.parametrize("pre", ["llama-bpe", "qwen2", "tekken", "llama4", "default"])
def test_a_byte_level_vocabulary_counts_exactly(pre: str) -> None:
    count = exact_counter(byte_level(pre))
    assert count is not None
    assert count("hello world") == 2
    assert count("hello world!") == 3
    assert count("") == 0


@needs_tokenizers
def test_llama_3_takes_digits_by_three_and_qwen_one_by_one() -> None:
    def digits(pre: str) -> int:
        show = byte_level(pre)
        info = show["model_info"]
        assert isinstance(info, dict)
        info["tokenizer.ggml.tokens"] += ["12", "123"]
        info["tokenizer.ggml.merges"] = ["1 2", "12 3", *info["tokenizer.ggml.merges"]]
        count = exact_counter(show)
        assert count is not None
        return count("123")

    assert (digits("llama-bpe"), digits("qwen2")) == (1, 3)


@needs_tokenizers
def test_a_sentence_piece_vocabulary_counts_exactly() -> None:
    tokens = ["<unk>", "▁", "h", "i", "hi", "▁hi", "▁h", "<0x21>"]
    count = exact_counter(
        {
            "model_info": {
                "tokenizer.ggml.model": "llama",
                "tokenizer.ggml.tokens": tokens,
                "tokenizer.ggml.scores": [0.0, -9.0, -8.0, -8.0, -1.0, -0.5, -5.0, 0.0],
            }
        }
    )
    assert count is not None
    assert count("hi hi") == 2
    assert count("hi!") == 2


@pytest.mark.parametrize(
    "show",
    [
        {},
        {"model_info": None},
        {"model_info": {"tokenizer.ggml.model": "gpt2"}},
        byte_level("unheard-of"),
        {"model_info": {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ["a", "b"],
                        "tokenizer.ggml.merges": []}},
        {"model_info": {"tokenizer.ggml.model": "t5", "tokenizer.ggml.tokens": ["a"]}},
        {"model_info": {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a", 5]}},
        {"model_info": {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a"],
                        "tokenizer.ggml.scores": [1.0, 2.0]}},
    ],
)  # fmt: skip
def test_what_is_no_vocabulary_gives_no_count(show: dict[str, object]) -> None:
    assert exact_counter(show) is None
