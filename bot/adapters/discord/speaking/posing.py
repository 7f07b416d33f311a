"""Names under which a persona would pass for the people who run a server, or for Discord itself.

A card may bear any name, and a webhook shows it like a member's. What is made of such words alone
is marked wherever people see it; "Admiral" and "Mr Owner" stay as they are.
"""

from __future__ import annotations

import re

from bot.prompting.untrusted import likeness

MARK = " (AI)"
_WORD = re.compile(r"[^\W_]+")
_DIGITS = str.maketrans("013457", "oieast")


def _alike(words: str) -> frozenset[str]:
    return frozenset(map(likeness, words.split()))


_OFFICES = _alike(
    """
    mod mods moderator moderators moderation admin admins administrator administrators
    administration owner owners staff automod system discord official support security
    helpdesk moderador moderadora moderadores administrador administradora administradores
    dueno dono moderateur moderatrice administrateur administratrice proprietaire
    moderatorin moderatoren administratorin inhaber moderatore moderatrice amministratore
    amministratrice proprietario beheerder eigenaar wlasciciel moderatorka yonetici
    moderatorler модератор модераторы администратор админ администрация владелец поддержка
    管理员 管理員 版主 群主 管理者 モデレーター 運営 관리자 운영자 운영진
    व्यवस्थापक مشرف المشرف مدير الادارة
    """
)
"""Who runs a server, as a single word, in the languages of the rules."""
_BESIDE = _alike(
    """
    the a an of and our your head chief senior server servers guild team teams member members bot
    bots message messages notice notices alert alerts announcement announcements trust safety
    account nitro hq dept department service services del de la du des der le do da equipo equipe
    """
)
"""What stands beside it and changes nothing."""


def poses(name: str) -> bool:
    """Whether a name is made of an office's words alone, however they are written."""
    words = [likeness(word) for word in _WORD.findall(name)]
    words = [word if word.isdigit() else word.translate(_DIGITS) for word in words]
    others = [word for word in words if word not in _OFFICES]
    if len(others) < len(words) and all(word in _BESIDE or word.isdigit() for word in others):
        return True
    return likeness(name) in _OFFICES  # written with signs or spaces between its letters


def marked(name: str, longest: int) -> str:
    """Return a name of at most `longest` characters, with a mark where it poses."""
    return f"{name[: longest - len(MARK)].strip()}{MARK}" if poses(name) else name
