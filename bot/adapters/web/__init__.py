"""The operations server and the playground."""

from bot.adapters.web.ops import ops_app
from bot.adapters.web.play import Playground, Stage
from bot.adapters.web.relaying import Account, PlaySink
from bot.adapters.web.server import WebServer, is_loopback
from bot.chat.stage import PersonaSummary, Spoken, StageStatus

__all__ = [
    "Account",
    "PersonaSummary",
    "PlaySink",
    "Playground",
    "Spoken",
    "Stage",
    "StageStatus",
    "WebServer",
    "is_loopback",
    "ops_app",
]
