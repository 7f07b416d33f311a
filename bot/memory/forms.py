"""Contact data and secrets, which show by their form: never remembered."""

from __future__ import annotations

import re
from typing import Final

from bot.guardrails.pii import find

_CONTACT: Final = frozenset({"email", "phone"})
_NUMBER = r"(?:\+?\d[\d ()./-]{4,20}\d)"
_IS = r"(?:\s{0,4}(?:[:=]|->|is|ist|lautet|est|es|é|è|to|это|olan|は|是|为|為|은|는|이|가)?\s{0,4})"
_SAID_BEFORE_ONE = (
    r"(?:pass(?:word|wort|code|phrase|wd)|pwd?|kennwort|mot de passe|mdp|contraseñ?a|senha"
    r"|palavra-passe|wachtwoord|hasł?o|şifrem?|parola[mn]?|парол[ьяе]"
    r"|パスワード|暗証番号|密码|密碼|口令|비밀번호|비번)"
)
_MINE = (
    r"(?:my|our|mein[er]?|mon|ma|mi|minha|meu|il mio|la mia|mijn|mój|moja|moje|мой|моя|моё|benim"
    r"|私の|僕の|我的|제|내)"
)
_PHONE = (
    r"(?:phone|mobile|cell|telephone|whatsapp|number|numéro|número|numero|numer|nummer|nr|tel|télé?phone"
    r"|tel[eé]fono|telefone|celular|móvil|handy(?:nummer)?|telefon(?:nummer|numaram?)?|telefoonnummer"
    r"|телефон|номер|電話番号|携帯|电话|手机号?|電話|전화번호|번호|연락처)"
)
_CARRIED = (
    r"(?:pins?|pin[- ]?code|api[- ]?key|access token|secret key|credit card|debit card|card number"
    r"|kreditkarte\w*|carte bancaire|tarjeta de crédito|cartão|social security\w*|ssn"
    r"|passport number|seed phrase|recovery phrase|private key|iban|cvv)"
)
_FORMS: Final = (
    ("contact", rf"{_PHONE}[はが是为為은는이]?\W{{0,3}}(?:\w+\W{{1,3}}){{0,2}}{_NUMBER}"),
    ("contact", rf"(?:call|text|ring|whatsapp) me (?:on|at)\W{{1,3}}{_NUMBER}"),
    ("contact", r"(?<![\w.])\+?(?:\d[ ()./-]{0,2}){9,19}\d(?!\w)"),
    ("contact", r"\b\d{1,5}\s+(?:\w+\s+){1,3}(?:street|st|avenue|ave|road|rd|lane|drive)\b"),
    ("contact", r"\b\d{1,4},? (?:bis )?(?:rue|avenue|boulevard|place) \w"),
    (
        "contact",
        r"\b(?:calle|avenida|rua|via|piazza|ul\.|ulica|ул\.|улица) [\w. ]{2,40}?,? \d{1,5}\b",
    ),
    ("contact", r"\b\w{2,30}(?:strasse|straße|str\.|weg|gasse|platz|straat|laan)\s+\d{1,4}\b"),
    ("secret", rf"(?<!\w){_SAID_BEFORE_ONE}{_IS}[:=]\s*\S"),
    (
        "secret",
        rf"(?<!\w){_SAID_BEFORE_ONE}\s*(?:is|ist|lautet|est|es|é|è|to|это|は|是|은|는)\s*\S",
    ),
    ("secret", rf"(?<!\w){_MINE}\s*(?:[\w-]+\s+){{0,2}}{_SAID_BEFORE_ONE}"),
    ("secret", r"(?<!\w)şifrem\b"),
    ("secret", rf"(?<!\w){_MINE}\s*{_CARRIED}(?!\w)"),
    ("secret", r"\bseed phrase|\bapi[-_ ]?key\s*(?:is|[:=])"),
    ("secret", r"\b(?:sk|pk|ghp|gho|xox[a-z]|akia|hf)[-_]?[a-z0-9_-]{16,}"),
    ("secret", r"\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}\b"),
    ("secret", r"-----BEGIN [A-Z ]{1,30}-----"),
)
_COMPILED: Final = tuple((name, re.compile(form, re.IGNORECASE)) for name, form in _FORMS)


def formal_class(text: str) -> str | None:
    """Return `contact` or `secret`, if a text holds such a thing.

    Numbers of cards and accounts count when their checksum is right (`bot.guardrails.pii`).
    """
    for datum in find(text):
        return "contact" if datum.kind in _CONTACT else "secret"
    return next((name for name, form in _COMPILED if form.search(text)), None)
