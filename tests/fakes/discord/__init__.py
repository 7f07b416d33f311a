"""A fake Discord: REST v10 and gateway v10 on loopback sockets, for tests and by hand."""

from tests.fakes.discord.faults import Fault
from tests.fakes.discord.handles import Person, Place, Server
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.server import TOKEN, FakeDiscord
from tests.fakes.discord.state import Message, Revision, Webhook

__all__ = [
    "TOKEN",
    "FakeDiscord",
    "Fault",
    "Interaction",
    "Message",
    "Person",
    "Place",
    "Revision",
    "Server",
    "Webhook",
]
