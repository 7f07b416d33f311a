"""The playground's calls: a turn from the first word to its account."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from bot.adapters.web import play as play_module
from bot.adapters.web import relaying
from bot.chat.notices import notice_for
from bot.errors import BackendStalled
from bot.languages import reading
from tests.fakes import PATIENCE
from tests.integration.web.company import Company, open_house
from tests.integration.web.conftest import Reader


def visible(lines: list[dict[str, Any]]) -> str:
    text = ""
    for line in lines:
        if line["type"] == "add":
            text += line["text"]
        elif line["type"] == "show":
            text = line["text"]
    return text


async def test_the_state_names_cast_model_and_limits(reader: Reader) -> None:
    status, state = await reader.call("/api/state", method="GET")
    assert status == 200
    assert [persona["id"] for persona in state["personas"]] == ["ada", "bram", "mira"]
    assert state["personas"][1]["greetings"][0] == "Evening! Mind the ladder."
    assert state["status"]["model"] == "llama3.2:3b"
    assert state["limits"]["text"] == 4000


async def test_a_reply_streams_and_ends_with_its_account(reader: Reader, company: Company) -> None:
    lines = await reader.say("How tall is K2?", "bram")
    assert company.heard == [(reader.session, "How tall is K2?", "bram")]
    assert len(lines) > 3
    account = lines[-1]["account"]
    assert visible(lines) == account["reply"]
    assert account["persona"]["name"] == "Bram Underlamp"
    assert account["route"]["probabilities"]["factual"] == 0.8127


async def test_without_a_persona_the_router_chooses(reader: Reader, company: Company) -> None:
    await reader.say("hello")
    assert company.heard[-1][2] is None


async def test_a_text_that_is_taken_back_is_replaced(reader: Reader) -> None:
    lines = await reader.say("rewrite it")
    assert {"type": "show", "text": "Better not."} in lines
    assert visible(lines) == "Better not."


async def test_any_script_survives_the_way_there_and_back(reader: Reader) -> None:
    text = "naïve \u0085 🎭 العربية <b>&amp;</b>\n\tsecond line"
    lines = await reader.say(text)
    assert text.replace("\u0085", "\u0085") in visible(lines)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("stall now", "failed", "The model stopped answering. Please ask again in a minute."),
        ("crowd now", "busy", "Three are before you. Try again in 20 seconds."),
        ("bug now", "failed", "Something went wrong on my side."),
    ],
)
async def test_a_failure_is_one_line_without_internals(
    reader: Reader, text: str, code: str, says: str
) -> None:
    (line,) = await reader.say(text)
    assert line["error"]["code"] == code
    assert line["error"]["message"].startswith(says)
    assert "secret-host" not in json.dumps(line)
    assert "internal detail" not in json.dumps(line)
    assert (await reader.say("still there?"))[-1]["type"] == "account"


@pytest.mark.parametrize(
    ("languages", "locale"),
    [("de-AT,de;q=0.9,en;q=0.5", "de-AT"), ("ja", "ja"), ("*", None), ("<script>", None)],
)
async def test_the_program_speaks_the_browser_s_language(
    reader: Reader, company: Company, languages: str, locale: str | None
) -> None:
    (failure,) = await reader.say("stall please", languages=languages)
    assert company.locale == locale
    with reading(locale):
        assert failure["error"]["message"] == notice_for(BackendStalled("", backend=""))


async def test_leaving_cancels_the_generation(reader: Reader, company: Company) -> None:
    body = {"session": reader.session, "text": "wait for it", "persona": None}
    async with reader.http.post(f"{reader.url}/api/say", json=body) as response:
        first = json.loads(await response.content.readline())
        assert first == {"type": "add", "text": "Once upon a time"}
        response.close()
    await asyncio.wait_for(company.cancelled.wait(), PATIENCE)
    await _until_free(reader)
    assert (await reader.say("and now?"))[-1]["type"] == "account"


async def _until_free(reader: Reader) -> None:
    for _ in range(100):
        status, _ = await reader.call("/api/reset", {"session": reader.session})
        if status == 200:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the session stayed busy")


async def test_a_turn_that_takes_too_long_is_stopped(
    reader: Reader, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play_module, "TURN_SECONDS", 0.1)
    lines = await reader.say("wait for ever")
    assert lines[-1]["error"]["code"] == "timeout"
    assert company.cancelled.is_set()


async def test_a_silent_turn_sends_heartbeats(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(play_module, "TURN_SECONDS", 0.4)
    body = {"session": reader.session, "text": "wait", "persona": None}
    async with reader.http.post(f"{reader.url}/api/say", json=body) as response:
        kinds = [json.loads(line)["type"] async for line in response.content]
    assert kinds.count("wait") >= 2


async def test_one_message_at_a_time_in_a_conversation(reader: Reader, company: Company) -> None:
    body = {"session": reader.session, "text": "wait", "persona": None}
    async with reader.http.post(f"{reader.url}/api/say", json=body) as response:
        await company.waiting.wait()
        status, answer = await reader.call("/api/say", body)
        assert (status, answer["error"]["code"]) == (409, "busy")
        status, answer = await reader.call("/api/reset", {"session": reader.session})
        assert (status, answer["error"]["code"]) == (409, "busy")
        response.close()


async def test_a_new_conversation_forgets_the_old_one(reader: Reader, company: Company) -> None:
    status, _ = await reader.call("/api/reset", {"session": reader.session})
    assert status == 200
    assert company.forgotten == [reader.session]


async def test_a_talk_is_told_once_more_to_whoever_holds_its_session(reader: Reader) -> None:
    assert await reader.call("/api/talk", {"session": reader.session}) == (200, {"talk": []})
    await reader.say("How tall is K2?", "bram")
    _, answer = await reader.call("/api/talk", {"session": reader.session})
    (turn,) = answer["talk"]
    assert (turn["said"], turn["name"]) == (["How tall is K2?"], "Bram Underlamp")
    assert "8,611 metres" in turn["reply"]
    await reader.call("/api/reset", {"session": reader.session})
    assert await reader.call("/api/talk", {"session": reader.session}) == (200, {"talk": []})
    status, refused = await reader.call("/api/talk", {"session": "made-up"})
    assert (status, refused["error"]["code"]) == (404, "session")


async def test_a_conversation_goes_on_after_a_restart_for_whoever_had_it(company: Company) -> None:
    async with aiohttp.ClientSession() as http:
        async with open_house(company) as (url, _):
            before = Reader(http, url)
            await before.open()
            await before.say("How tall is K2?")
        async with open_house(company) as (url, _):
            after = Reader(http, url)
            after.session = before.session
            said = {"session": after.session, "text": "and Everest?", "persona": None}
            assert (await after.call("/api/say", said))[0] == 404
            assert len((await after.call("/api/talk", {"session": after.session}))[1]["talk"]) == 1
            await after.say("and Everest?")
        assert [session for session, _, _ in company.heard] == [before.session] * 2


async def test_avatars_are_png_or_nothing(reader: Reader) -> None:
    async with reader.http.get(f"{reader.url}/api/personas/ada/avatar") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "image/png"
        assert (await response.read()).startswith(b"\x89PNG")
        tag = response.headers["ETag"]
    async with reader.http.get(
        f"{reader.url}/api/personas/ada/avatar", headers={"If-None-Match": tag}
    ) as response:
        assert response.status == 304
    for name in ("bad", "bram", "nobody", "..%2f..%2fetc"):
        async with reader.http.get(f"{reader.url}/api/personas/{name}/avatar") as response:
            assert response.status == 404


async def test_a_draining_house_takes_no_new_turns(company: Company) -> None:
    async with open_house(company) as (url, play), aiohttp.ClientSession() as http:
        reader = Reader(http, url)
        await reader.open()
        play.drain()
        body = {"session": reader.session, "text": "hi", "persona": None}
        status, answer = await reader.call("/api/say", body)
        assert (status, answer["error"]["code"]) == (503, "draining")
    assert company.heard == []


async def test_stopping_the_server_ends_a_running_turn(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.web.server.STOP_SECONDS", 0.1)
    async with aiohttp.ClientSession() as http:
        async with open_house(company) as (url, _):
            reader = Reader(http, url)
            await reader.open()
            body = {"session": reader.session, "text": "wait", "persona": None}
            response = await http.post(f"{url}/api/say", json=body)
            await company.waiting.wait()
        assert company.cancelled.is_set()
        response.close()
