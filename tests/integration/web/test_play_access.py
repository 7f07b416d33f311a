"""Who may come in, and what a stranger's request meets."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.adapters.web import requests
from bot.adapters.web.access import COOKIE
from tests.fakes import PATIENCE
from tests.integration.web.company import Company, open_house
from tests.integration.web.conftest import Reader

TOKEN = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "["]
)
async def test_another_name_for_this_machine_is_refused(reader: Reader, host: str) -> None:
    for path in ("/", "/api/state"):
        status, answer = await reader.call(path, method="GET", headers={"Host": host})
        assert (status, answer["error"]["code"]) in ((403, "host"), (400, "bad_request"))


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80", "LOCALHOST"])
async def test_loopback_has_several_names(reader: Reader, host: str) -> None:
    status, _ = await reader.call("/api/state", method="GET", headers={"Host": host})
    assert status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_sites_page_is_refused(
    reader: Reader, company: Company, headers: dict[str, str]
) -> None:
    body = {"session": reader.session, "text": "hi", "persona": None}
    status, answer = await reader.call("/api/say", body, headers=headers)
    assert (status, answer["error"]["code"]) == (403, "origin")
    assert company.heard == []


async def test_a_form_of_another_site_can_not_speak(reader: Reader, company: Company) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        data = json.dumps({"session": reader.session, "text": "hi"})
        status, answer = await reader.call("/api/say", data=data, headers={"Content-Type": kind})
        assert (status, answer["error"]["code"]) == (415, "json")
    assert company.heard == []


async def test_every_answer_wears_its_headers(reader: Reader) -> None:
    for path in ("/", "/js/app.js", "/api/state", "/nothing"):
        async with reader.http.get(reader.url + path) as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "path", ["/../play.py", "/..%2fplay.py", "/js/..%2f..%2fplay.py", "//etc/passwd", "/%00"]
)
async def test_only_the_pages_own_files_are_served(reader: Reader, path: str) -> None:
    host, port = reader.url.removeprefix("http://").split(":")
    # By hand: a client library would tidy the path up first.
    stream, out = await asyncio.open_connection(host, int(port))
    out.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(stream.read(), PATIENCE)
    out.close()
    await out.wait_closed()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert b"def " not in answer
    assert b"root:" not in answer


# ── the token ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def stranger(company: Company) -> Any:
    async with open_house(company, token=TOKEN) as (url, _), aiohttp.ClientSession() as http:
        yield Reader(http, url)


async def test_the_page_is_open_and_the_calls_are_not(stranger: Reader) -> None:
    async with stranger.http.get(stranger.url + "/") as response:
        assert response.status == 200
    for method, path in (
        ("GET", "/api/state"),
        ("POST", "/api/session"),
        ("POST", "/api/talk"),
        ("POST", "/api/say"),
        ("POST", "/api/reset"),
        ("GET", "/api/personas/ada/avatar"),
        ("GET", "/api/anything"),
    ):
        status, answer = await stranger.call(path, method=method)
        assert (status, answer["error"]["code"]) == (401, "token"), path


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer é"]
)
async def test_a_wrong_header_stays_outside(stranger: Reader, header: str) -> None:
    status, _ = await stranger.call("/api/state", method="GET", headers={"Authorization": header})
    assert status == 401


async def test_the_header_lets_a_program_in(stranger: Reader) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    status, _ = await stranger.call("/api/state", method="GET", headers=headers)
    assert status == 200


async def test_the_right_token_sets_a_cookie_that_is_not_the_token(company: Company) -> None:
    jar = aiohttp.CookieJar(unsafe=True)  # accepts cookies of an address
    async with (
        open_house(company, token=TOKEN) as (url, _),
        aiohttp.ClientSession(cookie_jar=jar) as http,
    ):
        stranger = Reader(http, url)
        status, _ = await stranger.call("/api/login", {"token": "wrong"})
        assert status == 401
        async with http.post(f"{url}/api/login", json={"token": TOKEN}) as response:
            cookie = response.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
        assert TOKEN not in cookie.value
        await stranger.open()
        assert (await stranger.say("hello"))[-1]["type"] == "account"


async def test_a_made_up_cookie_stays_outside(stranger: Reader) -> None:
    for value in ("", "x", TOKEN):
        status, _ = await stranger.call("/api/state", method="GET", cookies={COOKIE: value})
        assert status == 401


async def test_without_a_token_nobody_logs_in(reader: Reader) -> None:
    status, _ = await reader.call("/api/login", {"token": ""})
    assert status == 401


async def test_with_a_token_the_house_may_have_another_name(stranger: Reader) -> None:
    headers = {"Host": "play.example.org", "Authorization": f"Bearer {TOKEN}"}
    status, _ = await stranger.call("/api/state", method="GET", headers=headers)
    assert status == 200


# ── bounds ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"text": ""}, 422, "invalid"),
        ({"text": " \n\x00\x07 "}, 422, "invalid"),
        ({"text": "x" * 4001}, 422, "invalid"),
        ({"text": 7}, 422, "invalid"),
        ({"text": None}, 422, "invalid"),
        ({"persona": "nobody"}, 404, "persona"),
        ({"persona": "a" * 129}, 422, "invalid"),
        ({"persona": ["ada"]}, 422, "invalid"),
        ({"session": "made-up"}, 404, "session"),
        ({"session": ""}, 422, "invalid"),
        ({"extra": 1}, 422, "invalid"),
    ],
)
async def test_bounds_are_said_clearly(
    reader: Reader, company: Company, change: dict[str, object], status: int, code: str
) -> None:
    body = {"session": reader.session, "text": "hi", "persona": None, **change}
    got, answer = await reader.call("/api/say", body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]
    assert company.heard == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"session": "x", "text": "\\ud800"}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
    ],
)
async def test_a_body_that_is_no_message_is_refused(reader: Reader, data: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, answer = await reader.call("/api/say", data=data, headers=headers)
    assert (status, answer["error"]["code"]) == (422, "invalid")


async def test_a_huge_body_is_refused_unread(reader: Reader) -> None:
    headers = {"Content-Type": "application/json"}
    status, answer = await reader.call("/api/say", data=b"x" * 100_000, headers=headers)
    assert status == 413
    assert answer["error"]["code"] == "request_entity_too_large"


async def test_control_characters_do_not_reach_the_stage(reader: Reader, company: Company) -> None:
    await reader.say("  he\x00l\x1blo\n\tthere ")
    assert company.heard[0][1] == "hello\n\tthere"


async def test_a_wrong_method_is_named(reader: Reader) -> None:
    async with reader.http.delete(f"{reader.url}/api/say") as response:
        assert response.status == 405
        assert "POST" in response.headers["Allow"]


@given(
    st.binary(max_size=200) | st.text(max_size=80).map(lambda t: json.dumps({"text": t}).encode())
)
@settings(max_examples=60, deadline=None)
def test_no_body_is_ever_more_than_refused(data: bytes) -> None:
    try:
        body = requests.Say.model_validate_json(data)
    except ValidationError:
        return
    raise AssertionError(f"taken without a session: {body}")
