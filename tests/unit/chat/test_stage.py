"""The page and the terminal: what the program itself says there."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from PIL import Image

from bot.chat.account import TurnAccount
from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.notices import notice_for
from bot.chat.place import MessageId, Place, UserId
from bot.chat.stage import Spoken, Stage
from bot.chat.turn import Speaker, Turn, TurnId
from bot.errors import BackendUnavailable
from bot.files.data_files import personas_dir
from bot.guardrails.caring.care import read_care
from bot.guardrails.caring.disclosure import Disclosures
from bot.guardrails.caring.risk import ProcessTrends
from bot.languages import reading
from bot.personas import PersonaLibrary
from bot.personas.binding import Binding
from bot.ports import Face, Outcome, ReplySink
from bot.routing.route import Route

CARE = read_care([personas_dir() / "care"])


class Screen:
    """Remembers what stood on it last."""

    text = ""

    def show(self, text: str) -> None:
        self.text = text


class Says:
    """A pipeline that answers the same to everything."""

    def __init__(self, text: str = "Aquí estoy.") -> None:
        self.text = text

    async def perform(
        self,
        turn: Turn,
        open_sink: Callable[[Face], ReplySink],
        account: TurnAccount,
        persona: str | None = None,
    ) -> Outcome:
        await open_sink(Face("bram", "Bram", None)).finish(self.text)
        return Outcome.ANSWERED


class Wall:
    """The clocks of this machine."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def stage_of(
    pipeline: Says,
    disclosures: Disclosures | None = None,
    library: PersonaLibrary | None = None,
    conversations: object = None,
) -> Stage:
    nothing = cast("Any", None)
    return Stage(
        cast("Any", pipeline),
        cast("Any", conversations),
        cast("Any", library),
        Binding(),
        cast("Any", Wall()),
        nothing,
        disclosures,
    )


async def test_a_guest_is_told_once_in_their_language_that_an_ai_writes() -> None:
    reasons: list[str] = []
    stage = stage_of(Says(), Disclosures(lambda: CARE, ProcessTrends(), reasons.append))
    first, second = Screen(), Screen()
    await stage.say("a", "hola, ¿quién eres tú y qué haces aquí?", None, first)
    await stage.say("a", "y ahora cuéntame un chiste sobre gatos, por favor", None, second)
    assert first.text == f"Aquí estoy.\n\n-# {CARE.words('es').first_contact}"
    assert second.text == "Aquí estoy."
    assert reasons == ["first"]


async def test_what_the_program_adds_stands_outside_of_code() -> None:
    screen = Screen()
    cut = "```python\nprint(1)\n\n-# This was cut."
    await stage_of(Says(cut)).say("a", "code, please", None, screen)
    assert screen.text == "```python\nprint(1)\n```\n\n-# This was cut."


class Fails(Says):
    """A pipeline without a model."""

    async def perform(self, *given: Any, **more: Any) -> Outcome:
        raise BackendUnavailable("no host", backend="")


async def test_a_notice_is_in_the_language_that_is_spoken_else_in_the_reader_s() -> None:
    spoken = await stage_of(Fails()).say("a", "hola, ¿quién eres tú y qué haces?", None, Screen())
    read = await stage_of(Fails()).say("a", "ok", None, Screen(), "de-AT")
    for account, language in ((spoken, "es"), (read, "de")):
        with reading(language):
            assert account.notice == notice_for(BackendUnavailable("", backend=""))
    assert spoken.notice != read.notice


def test_first_words_stand_on_the_page_as_they_would_be_said(tmp_path: Path) -> None:
    said = {"name": "Sera", "first_mes": "I am {{char}}.", "alternate_greetings": ["Hi, {{user}}!"]}
    card = {"spec": "chara_card_v2", "spec_version": "2.0", "data": said}
    (tmp_path / "sera.json").write_text(json.dumps(card))
    library = PersonaLibrary(tmp_path)
    library.load()
    stage = stage_of(Says(), library=library)
    assert [each.greetings for each in stage.personas()] == [("I am Sera.", "Hi, Guest!")]
    assert stage.knows("sera")
    assert not stage.knows("nobody")


class Store:
    """Holds one conversation, whoever asks."""

    def __init__(self, *exchanges: Exchange) -> None:
        self.exchanges = exchanges

    async def load(self, place: Place) -> Conversation:
        return Conversation(place, self.exchanges)


def exchange(number: int, *said: str, reply: str = "", persona: str = "sera") -> Exchange:
    spoken = [Said(MessageId(number), Speaker(UserId(1), "Guest"), text, 0.0) for text in said]
    variant = Variant(reply, (), persona, Route.CREATIVE, "m", 0.0)
    return Exchange(TurnId(str(number)), tuple(spoken), (variant,) if reply else (), -1)


async def test_what_is_stored_of_a_talk_can_be_shown_once_more(tmp_path: Path) -> None:
    (tmp_path / "sera.json").write_text(json.dumps({"name": "Sera", "first_mes": "Hi."}))
    library = PersonaLibrary(tmp_path)
    library.load()
    store = Store(
        exchange(1, "hello", "are you there?", reply="```\nprint(1)\n\n-# Cut."),
        exchange(2, "and now?"),  # its reply was removed
        exchange(3, "who was that?", reply="Nobody.", persona="gone"),
    )
    talk = await stage_of(Says(), library=library, conversations=store).talk("a")
    assert talk == [
        Spoken(
            ("hello", "are you there?"), "```\nprint(1)\n```\n\n-# Cut.", "sera", "Sera", "creative"
        ),
        Spoken(("and now?",)),
        Spoken(("who was that?",), "Nobody.", "gone", "", "creative"),
    ]


async def test_a_picture_of_any_format_is_shown_small(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (900, 1200), "teal").save(buffer, "JPEG")
    uri = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    icon = {"type": "icon", "uri": uri, "name": "main", "ext": "jpeg"}
    data = {"name": "Sera", "first_mes": "Hi.", "assets": [icon], "group_only_greetings": []}
    card = {"spec": "chara_card_v3", "spec_version": "3.0", "data": data}
    (tmp_path / "sera.json").write_text(json.dumps(card))
    library = PersonaLibrary(tmp_path)
    library.load()
    stage = stage_of(Says(), library=library)
    picture = await stage.avatar("sera")
    assert picture is not None
    with Image.open(io.BytesIO(picture)) as shown:
        assert (shown.format, shown.size) == ("PNG", (256, 256))
    assert await stage.avatar("sera") is picture
    assert await stage.avatar("nobody") is None


async def test_what_is_hidden_from_the_bot_is_not_sent_and_the_person_knows() -> None:
    account = await stage_of(Says("never said")).say(
        "a", "// psst, a secret", None, screen := Screen()
    )
    assert account.notice == "A message that begins with `//` is hidden from me: it was not sent."
    assert account.outcome is Outcome.CANCELLED  # after a failure the text would stay in the box
    assert screen.text == ""
