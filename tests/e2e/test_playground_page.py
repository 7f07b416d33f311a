"""The playground as a person meets it: in a browser, with a keyboard, by day and by night."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.browser import Browser, chromium, missing
from tests.integration.web.company import Company, open_house

pytestmark = pytest.mark.skipif(
    bool(missing), reason=f"not installed: {', '.join(missing)} (.ci/run installs them)"
)

ENTER, ESCAPE, TAB, DOWN, SHIFT = "\ue007", "\ue00c", "\ue004", "\ue015", "\ue008"
TOKEN = "correct-horse-battery-staple"
DONE = "return document.querySelector('.theirs:last-child')?.getAttribute('aria-busy') === 'false'"


@pytest.fixture
async def company() -> Company:
    return Company(rehearsal=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def page(window: Browser, company: Company) -> AsyncIterator[Browser]:
    async with open_house(company) as (url, _), window.cleared() as browser:
        await browser.size(1440, 900)
        await browser.open(url)
        await browser.until("return document.querySelector('#app').dataset.ready")
        yield browser
        assert await browser.complaints() == []


async def say(page: Browser, text: str) -> None:
    await page.click("#text")
    await page.press(text + ENTER)
    await page.until(DONE)


async def test_a_reply_streams_in_and_tells_how_it_came_about(
    page: Browser, company: Company
) -> None:
    assert "stand-in" in await page.text("#banner")
    assert "llama3.2:3b" in await page.text("#house")
    await page.run("document.querySelector('input[name=persona]').focus()")
    await page.press(DOWN + DOWN)
    assert await page.text("#opening h2") == "Bram Underlamp"
    assert await page.text("#greeting") == "Evening! Mind the ladder."
    await page.click("#opening button")
    assert await page.text("#greeting em") == "tips his hat"

    await say(page, "How tall is K2?")
    assert company.heard[0][1:] == ("How tall is K2?", "bram")
    assert await page.text(".theirs .who b") == "Bram Underlamp"
    assert await page.text(".theirs .words strong") == "K2"

    panel = await page.text("#account")
    for said in ("81.3 %", "6.4 %", "12.3 %", "decided by table", "asks how tall a thing is"):
        assert said in panel
    for said in ("1,876 of 7,168 tokens", "3 oldest exchanges", "flood of 1911", "likes mountains"):
        assert said in panel
    for said in ("steer", "medical", "0.4 ms", "2.3 s", "llama3.2:3b", "127.0.0.1:11434"):
        assert said in panel
    assert await page.text("#account tr.cut") == "history cut: 3 oldest exchanges did not fit 220"
    widths = await page.run(
        "return [...document.querySelectorAll('#account section:first-child .bar')]"
        ".map(bar => bar.firstChild.getBoundingClientRect().width / bar.clientWidth)"
    )
    assert widths == pytest.approx([0.8127, 0.0641, 0.1232], abs=0.01)

    await page.click("#account details summary")
    await page.click("#account .sent summary")
    assert await page.text(".sent pre") == "You are Bram Underlamp.\n<b>Stay</b> honest."


async def test_markup_stays_text_and_nothing_is_fetched_from_elsewhere(page: Browser) -> None:
    await say(page, "<img src=x onerror=pwned=1> [x](javascript:pwned=1) ```<script>pwned=1")
    assert await page.run("return typeof pwned") == "undefined"
    inside = "return document.querySelectorAll('.words img, .words a, .words script').length"
    assert await page.run(inside) == 0
    assert "<img src=x onerror=pwned=1>" in await page.text(".theirs .words")
    foreign = await page.run(
        "return performance.getEntriesByType('resource').map(e => e.name)"
        ".filter(name => !name.startsWith(location.origin))"
    )
    assert foreign == []


MARKDOWN = """
return import('/js/rich.js').then(({rich}) => {
  const box = document.createElement('div');
  const before = performance.now();
  box.append(...rich(arguments[0]));
  return [box.innerHTML, performance.now() - before];
});
"""


async def test_the_little_markdown_of_chat_is_set_and_the_rest_stays_text(page: Browser) -> None:
    cases = {
        "*waves* and **bold *both* words**": "<p><em>waves</em> and <strong>bold "
        "<em>both</em> words</strong></p>",
        "- one\n- two\n\n1. first": "<ul><li>one</li><li>two</li></ul><ol><li>first</li></ol>",
        "a\nb\n\n> quoted\n-# small": "<p>a<br>b</p><blockquote>quoted</blockquote>"
        '<p class="small">small</p>',
        "2 * 3 * 4 and snake_case_name": "<p>2 * 3 * 4 and snake_case_name</p>",
        "`*raw*`\n```py\n*x* = 1 < 2\n```\nend": "<p><code>*raw*</code></p>"
        '<pre tabindex="0"><code>*x* = 1 &lt; 2</code></pre><p>end</p>',
        "```\nstill open": '<pre tabindex="0"><code>still open</code></pre>',
        "[here](https://evil.example)": "<p>[here](https://evil.example)</p>",
    }
    for text, html in cases.items():
        assert (await page.run(MARKDOWN, text))[0] == html
    for hostile in (
        "*" * 8000,
        "**a" * 2500,
        "**a*b*" * 1300,
        "_a" * 4000,
        "`" * 8000,
        "> " * 4000,
    ):
        _, milliseconds = await page.run(MARKDOWN, hostile)
        assert milliseconds < 1000


async def test_what_the_program_says_under_a_reply_stays_when_the_turn_is_over(
    page: Browser,
) -> None:
    await say(page, "disclose yourself")
    assert await page.text(".theirs .words > p:first-child") == "Good evening."
    assert await page.text(".theirs .words .small") == "I am an AI."
    assert await page.text(".theirs .notice") == "The model broke off here."
    for theme in ("light", "dark"):
        await page.run(f"document.documentElement.dataset.theme = '{theme}'")
        tones = await page.run(
            "return [...document.querySelectorAll('#account .swatch')]"
            ".map(each => getComputedStyle(each).backgroundColor)"
        )
        assert len(tones) == len(set(tones)) == 12


async def test_shift_and_enter_break_the_line(page: Browser, company: Company) -> None:
    await page.click("#text")
    await page.press("one")
    await page.chord(SHIFT, ENTER)
    await page.press("two" + ENTER)
    await page.until(DONE)
    assert company.heard[0][1] == "one\ntwo"


async def test_escape_stops_the_generation_and_keeps_what_was_said(
    page: Browser, company: Company
) -> None:
    await page.click("#text")
    await page.press("wait for it" + ENTER)
    await page.until_text(".theirs .words", "Once upon a time")
    assert await page.run("return document.querySelector('#stop').hidden") is False
    await page.press(ESCAPE)
    await page.until_text(".theirs .under", "Stopped.")
    assert await page.text(".theirs .words") == "Once upon a time"
    await company.cancelled.wait()
    await page.until("return !document.querySelector('#stop').offsetParent")
    await say(page, "and now?")
    assert await page.run("return document.querySelectorAll('.line').length") == 4


async def test_a_failure_is_said_and_the_words_are_given_back(page: Browser) -> None:
    await page.click("#text")
    await page.press("stall please" + ENTER)
    await page.until_text(".theirs .under", "The model stopped answering.")
    assert await page.run("return document.querySelector('#text').value") == "stall please"
    await page.run("document.querySelector('#text').value = ''")
    await say(page, "excuse yourself")
    assert await page.text(".theirs:last-child .words") == ""
    assert await page.text(".theirs:last-child .notice") == "The model broke off here."
    assert await page.run("return document.querySelector('#text').value") == "excuse yourself"
    await page.run("document.querySelector('#text').value = ''")
    await say(page, "sparse account")
    assert await page.text(".theirs:last-child .words") == "Bare boards."
    assert await page.text("#account") == ""


async def test_a_new_conversation_starts_on_bare_boards(page: Browser, company: Company) -> None:
    await say(page, "hello")
    await page.click("#new")
    await page.until("return document.querySelectorAll('.line').length === 0")
    assert [company.heard[0][0]] == company.forgotten
    assert await page.text("#opening h2") == "The stage is yours"
    await page.click("#opening .prompts button")
    await page.until(DONE)
    assert company.heard[1][1].startswith("Why is the sky dark")


LINES = "return [...document.querySelectorAll('.line .words')].map(each => each.innerText)"
READY = "return document.querySelector('#app')?.dataset.ready"


async def loaded_anew(page: Browser) -> list[str]:
    """Load the page once more; return what stands on the boards."""
    await page.run("delete document.querySelector('#app').dataset.ready; location.reload()")
    await page.until(READY)
    lines: list[str] = await page.run(LINES)
    return lines


async def test_the_talk_is_still_there_when_the_page_is_loaded_anew(
    page: Browser, company: Company
) -> None:
    await say(page, "How tall is K2?")
    await say(page, "<b>And</b> Everest?")
    before = await page.run(LINES)
    assert len(before) == 4
    assert await loaded_anew(page) == before
    assert await page.run("return document.querySelector('#opening').hidden")
    assert await page.text(".theirs .who b") == "Ada Quill"
    assert await page.text(".theirs .pill") == "factual"
    await say(page, "Thank you.")  # it goes on where it was
    assert len({session for session, _, _ in company.heard}) == 1
    assert len(await loaded_anew(page)) == 6


async def test_a_question_whose_reply_was_cut_off_by_loading_anew_is_given_back(
    page: Browser, company: Company
) -> None:
    await say(page, "How tall is K2?")
    await page.click("#text")
    await page.press("wait for it" + ENTER)
    await page.until("return document.querySelector('#stop').offsetParent !== null")
    assert len(await loaded_anew(page)) == 2
    assert await page.run("return document.querySelector('#text').value") == "wait for it"
    assert "in the box again" in await page.text("#oops")
    assert len(await loaded_anew(page)) == 2
    assert await page.run("return document.querySelector('#text').value") == ""


async def test_after_a_restart_of_the_program_the_talk_goes_on(
    window: Browser, company: Company
) -> None:
    async with window.cleared() as browser:
        async with open_house(company) as (url, _):
            await browser.open(url)
            await browser.until(READY)
            await say(browser, "hello")
        port = int(url.rstrip("/").rpartition(":")[2])
        async with open_house(company, port=port):
            await browser.click("#text")
            await browser.press("are you back?" + ENTER)
            await browser.until("return document.querySelector('#text').value === 'are you back?'")
            await browser.press(ENTER)  # its words were given back
            await browser.until(DONE)
            assert "You said: are you back?" in await browser.text(".theirs:last-child .words")
    assert len({session for session, _, _ in company.heard}) == 1


async def test_what_was_forgotten_does_not_come_back_with_the_page(
    page: Browser, company: Company
) -> None:
    await say(page, "hello")
    await page.click("#new")
    await page.until("return document.querySelectorAll('.line').length === 0")
    assert await loaded_anew(page) == []
    assert await page.text("#opening h2") == "The stage is yours"
    await say(page, "hello again")
    company.kept.clear()  # its lifetime is over
    assert await loaded_anew(page) == []


async def test_a_phone_shows_everything_without_scrolling_sideways(page: Browser) -> None:
    await page.size(360, 700)
    fits = "return document.documentElement.scrollWidth <= innerWidth"
    assert await page.run(fits)
    await say(page, "a" * 300)
    assert await page.run(fits)
    off = "return document.querySelector('#why').getBoundingClientRect().left >= innerWidth"
    await page.until(off)
    await page.click(".peek")
    await page.until("return document.querySelector('#why').getBoundingClientRect().left < 1")
    assert await page.run("return document.activeElement.id") == "why"
    await page.press(ESCAPE)
    await page.until(off)
    assert await page.run("return document.activeElement.className") == "peek"


NAMELESS = """
const shown = [...document.querySelectorAll('button, input, textarea, summary, [tabindex="0"]')]
  .filter(element => element.offsetParent);
return shown.filter(element => !(element.getAttribute('aria-label') || element.textContent.trim()
  || element.labels?.[0]?.textContent.trim())).map(element => element.outerHTML);
"""

CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
function light(colours) {
  canvas.clearRect(0, 0, 1, 1);
  for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
  const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(value => {
    value /= 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const poor = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  if (!own || !element.offsetParent || element.closest('[disabled]')) continue;
  const behind = [];
  for (let each = element; each; each = each.parentElement) {
    behind.unshift(getComputedStyle(each).backgroundColor);
  }
  const back = light(behind), front = light([...behind, getComputedStyle(element).color]);
  const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
  if (ratio < 4.5) poor.push(`${element.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
}
return poor;
"""


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_every_word_can_be_read_and_every_control_has_a_name(
    page: Browser, scheme: str
) -> None:
    # Without transitions, so that colours are final when they are measured.
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    wanted = {"name": "prefers-color-scheme", "value": scheme}
    await page.devtools("Emulation.setEmulatedMedia", {"features": [wanted, still]})
    theme = "return document.documentElement.dataset.theme"
    await page.until(f"{theme} === arguments[0]", scheme)
    await say(page, "How tall is K2?")
    assert await page.run(NAMELESS) == []
    assert await page.run(CONTRAST) == []
    await page.click("#theme")
    assert await page.run(theme) == "light"
    await page.click("#theme")
    assert await page.run(theme) == "dark"


async def test_the_tab_key_reaches_everything(page: Browser) -> None:
    stops = []
    for _ in range(14):
        await page.press(TAB)
        stops.append(
            await page.run(
                "const at = document.activeElement; return at.id || at.name || at.className"
            )
        )
    assert {"skip", "new", "theme", "persona", "boards", "text"} <= set(stops)


async def test_the_stage_door_asks_for_the_token(company: Company) -> None:
    async with chromium() as browser, open_house(company, token=TOKEN) as (url, _):
        await browser.open(url)
        await browser.until("return document.querySelector('#login').open")
        await browser.click("#token")
        await browser.press("wrong" + ENTER)
        await browser.until_text("#login-oops", "not the playground's token")
        await browser.press(TOKEN + ENTER)
        await browser.until("return document.querySelector('#app').dataset.ready")
        await say(browser, "hello")
        assert "You said: hello" in await browser.text(".theirs .words")
        kept = await loaded_anew(browser)
        assert kept[0] == "hello"
        stored = "return document.cookie + JSON.stringify({...localStorage, ...sessionStorage})"
        assert TOKEN not in await browser.run(stored)
