"""Take pictures of what the bot shows in Discord: real payloads, drawn as Discord draws them.

The program runs between the fake Discord and the fake Ollama; people press and type, and what the
bot sent to them is drawn by `tests.e2e.look`.

python -m tests.e2e.pictures_of_cards deploy/pictures
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.files.data_files import personas_dir
from bot.personas import png
from tests.e2e.browser import Browser, chromium
from tests.e2e.look.drawing import Drawing
from tests.e2e.troupe import Scene, opened, until
from tests.e2e.wants.seeing import buttons, press, shown, with_buttons
from tests.fakes.discord import payloads
from tests.fakes.discord.commands import GROUP, SUBCOMMAND
from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.cards import json_card

K2 = (
    "K2 is **8,611 metres** tall, second only to Everest. It stands on the border of Pakistan and "
    "China, and was first climbed in 1954."
)
IDEAS = (
    "1. A lighthouse keeper who answers letters meant for the sea.\n"
    "2. A ferry that runs only on the days nobody needs it.\n"
    "3. Moths hired as lamplighters, on strike for shorter nights."
)
TOLD = ("I am allergic to nuts", "my dog is called Poppy", "I like short answers",
        "my sister lives in Lisbon", "I play the cello", "I grow tomatoes on my balcony",
        "I work as a carpenter", "I drive a green van called Olga", "I love hiking")  # fmt: skip
WREN = json_card(
    alternate_greetings=["*tilts her head* Who goes there?"],
    creator_notes="A small brown bird who knows every tune of the garden. Made for quiet evenings.",
    character_book={
        "extensions": {},
        "entries": [{"keys": ["pond"], "content": "The pond is deep.", "enabled": True}],
    },
)


class Album:
    """Draws parts one below the other and keeps the picture."""

    def __init__(self, scene: Scene, browser: Browser, folder: Path) -> None:
        self._scene, self._browser, self._folder = scene, browser, folder

    async def keep(self, name: str, *parts: Message | Interaction | dict[str, Any]) -> None:
        """Take a picture of messages, answers to interactions and forms."""
        drawing = Drawing(self._names())
        drawn = [self._drawn(drawing, part) for part in parts]
        with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as page:
            page.write(drawing.page(*drawn))
            page.flush()
            await self._browser.size(640, 400)
            await self._browser.open(f"file://{page.name}")
            await self._browser.until("return [...document.images].every(i => i.complete)")
            height = await self._browser.run("return document.querySelector('main').scrollHeight")
            await self._browser.size(640, int(height))
            await self._browser.picture(self._folder / f"{name}.png")
        print(self._folder / f"{name}.png")

    async def portrait(self, persona: str) -> bytes:
        """Return a persona's portrait as PNG."""
        await self._browser.size(256, 256)
        await self._browser.open((personas_dir() / "avatars" / f"{persona}.svg").as_uri())
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            await self._browser.picture(Path(file.name))
            return Path(file.name).read_bytes()

    def _drawn(self, drawing: Drawing, part: Message | Interaction | dict[str, Any]) -> str:
        if isinstance(part, dict):
            return drawing.form(part)
        message = shown(part) if isinstance(part, Interaction) else part
        used = ""
        if isinstance(part, Interaction) and "name" in part.data:
            used = f"{part.user.display_name} used /{' '.join(_words(part.data))}"
        return drawing.message(payloads.message(message), avatar=message.avatar_url, used=used)

    def _names(self) -> dict[str, str]:
        world = self._scene.discord.world
        named = {str(each.id): each.display_name for each in world.users.values()}
        named |= {str(each.id): each.name for each in world.channels.values()}
        for guild in world.guilds.values():
            named |= {str(role.id): role.name for role in guild.roles.values()}
        return named


def _words(used: Mapping[str, Any]) -> Iterator[str]:
    """Return the words of a command: its name, groups and subcommand."""
    yield used["name"]
    for inner in used.get("options") or ():
        if inner["type"] in (SUBCOMMAND, GROUP):
            yield from _words(inner)


async def reply(scene: Scene, album: Album, stage: Place, ada: Person) -> None:
    """A reply with its controls, written twice."""
    asked = await stage.says(ada, "how tall is K2?", mention_bot=True)
    scene.ollama.reply_next("Rather tall.", K2)
    answer = await with_buttons(scene, stage, asked)
    await press(ada, answer, "Regenerate")
    await until(lambda: "2/2" in buttons(answer), "the second variant")
    why = await press(ada, answer, "Why")
    await until(lambda: "Route" in why.text, "the reasons")
    await album.keep("reply-controls", asked, answer, why)


async def settings(album: Album, stage: Place, ada: Person) -> None:
    """The card of a channel's settings, one of its choices and one of its forms."""
    card = await ada.slash(stage, "channel settings")
    await ada.click(shown(card), "set:open:mode:channel")
    await ada.select(shown(card), "set:pick:mode:channel", "thread")
    await album.keep("channel-settings", card)
    form = await ada.click(shown(card), "set:open:quiet:channel")
    assert form.modal is not None
    await ada.click(shown(card), "set:open:barred:channel")
    await album.keep("channel-settings-change", card, form.modal)


async def cards(album: Album, stage: Place, ada: Person) -> None:
    """An import's preview, the card of a persona, and its greeting."""
    text = png.Text("chara", base64.b64encode(WREN))
    portrait = await album.portrait("bram")
    file = ("wren.png", png.with_texts(portrait, [text]), "image/png")
    preview = await ada.slash(stage, "persona import", file=file)
    await album.keep("import-preview", preview)
    done = await press(ada, shown(preview), "Import")
    await until(lambda: "Let them play here" in done.text, "the import")
    persona = await ada.slash(stage, "persona show", name="wren")
    await album.keep("persona-card", persona)
    await ada.slash(stage, "persona switch", name="wren")
    await album.keep("greeting", stage.from_bot[-1])


async def memory(scene: Scene, album: Album, stage: Place, ada: Person) -> None:
    """The pages of a memory."""
    on = await ada.slash(stage, "memory on")
    for text in TOLD:
        await scene.exchange(stage, ada, f"remember that {text}", "I will.")
    pages = await ada.slash(stage, "memory show")
    await album.keep("memory-pages", on, pages)


async def ideas(scene: Scene, album: Album, stage: Place, ada: Person) -> None:
    """Ideas to pick from, and the form that refines one."""
    scene.ollama.reply_next(IDEAS)
    await ada.slash(stage, "brainstorm", prompt="odd places by the sea", number=3)

    def look() -> Message | None:
        found = (m for m in stage.from_bot if "Use 1" in buttons(m))
        return next(found, None)

    answer = await until(look, "ideas")
    form = await press(ada, answer, "Refine…")
    assert form.modal is not None
    await album.keep("brainstorm", answer, form.modal)


async def welcome(scene: Scene, album: Album) -> None:
    """What a server finds that has just added the bot, and its three clicks."""
    guild = scene.discord.guild("new", channels=["lobby"], joins=True)
    lobby = guild.channel("lobby")
    card = await until(lambda: next(iter(lobby.from_bot), None), "a welcome card")
    boss = guild.member("boss", permissions=["manage_guild"])
    first = await boss.click(card, "welcome:start")
    await album.keep("welcome", card, first)


async def take(folder: Path) -> None:
    """Play each scene, and keep what was seen."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        async with (
            opened(Path(data), DISCORD_MESSAGE_CONTENT_INTENT="true") as scene,
            chromium() as browser,
        ):
            album = Album(scene, browser, folder)
            people: Sequence[Person] = [
                scene.guild.member("Ada", permissions=["manage_channels", "manage_guild"])
            ]
            for play in (reply, memory, ideas):
                await play(scene, album, scene.channel(), people[0])
            for show in (settings, cards):
                await show(album, scene.channel(), people[0])
            await welcome(scene, album)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    asyncio.run(take(parser.parse_args().folder))
