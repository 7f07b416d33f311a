"""Personal data and secrets, found by form and checksum."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.guardrails.national_ids import NATIONAL_ID, is_national_id

MAX_CHARS = 40_000

EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,5}[a-z]{2,24}(?![a-z\d_-])", re.IGNORECASE
)
PRIVATE_MAIL = re.compile(
    r"@(?:gmail|googlemail|outlook|hotmail|live|yahoo|ymail|icloud|me|gmx|web|proton|protonmail|pm"
    r"|aol|mail|yandex|qq|163|126|naver|daum|hanmail|laposte|orange|free|libero|wp|o2|interia"
    r"|onet|rediffmail|t-online|ziggo|kpnmail|terra|uol|bol|hey|fastmail|tutanota)\.[a-z.]{2,7}$",
    re.IGNORECASE,
)  # fmt: skip
CARD = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-])")
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
PHONE = re.compile(
    r"(?<![\w/#.-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){6,12}"
    r"|\(\d{2,5}\)[ .-]?\d(?:[ .-]?\d){5,9}|\d{3}[ .-]\d{3}[ .-]\d{4}"
    r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5}"
    r"|0\d(?:[ .]\d{2}){4}|01[016789]-\d{3,4}-\d{4})(?![\w-])",
    re.ASCII,  # a letter of a script without spaces may stand beside it
)
SAID_PHONE = re.compile(
    r"(?:phone|mobile|cell|whats ?app|call me|text me|tel[eé]fono|m[oó]vil|celular|telefone"
    r"|t[eé]l[eé]phone|portable|handy|telefon|cellulare|mobiel|zadzwoń"
    r"|\b(?:my|her|his|their|meine?|mi|su|meu|mon|son|mio|il suo|mijn|m[oó]j)"
    r" (?:number|n[uú]mero|nummer|numer)"
    r"|携帯|電話|전화|(?:내|제|폰) ?번호|연락처|手机|手機|电话|電話|मेरा नंबर|फ़ोन|फोन|رقمي|جوال|هاتف)"
    r"\D{0,14}(\+?\d(?:[ .()-]{0,2}\d){7,13})(?![\d-])",
    re.IGNORECASE,
)
"""A number of any form that is called one to ring."""
SECRET = re.compile(
    r"(?<![\w-])(?:[MNO][\w-]{23,27}\.[\w-]{6,7}\.[\w-]{27,45}"  # Discord bot token
    r"|mfa\.[\w-]{84}|(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{36,255}"
    r"|github_pat_\w{60,255}|glpat-[\w-]{20,64}|xox[abprs]-[\w-]{10,250}"
    r"|sk-(?:proj-|ant-)?[\w-]{20,200}|AIza[\w-]{35}|hf_[A-Za-z0-9]{30,50}"
    r"|eyJ[\w-]{10,500}\.eyJ[\w-]{10,1000}\.[\w-]{10,500}|(?:sk|rk|pk)_live_[A-Za-z0-9]{16,128})"
)
WEBHOOK = re.compile(
    r"https://(?:\w{1,10}\.)?discord(?:app)?\.com/api/webhooks/\d{5,25}/[\w-]{20,200}"
)
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{0,8000}?"
    r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
PASSWORD = re.compile(
    r"\b(?:my |mein |mi |mon |minha |mia |mijn |moje )?(?:password|passwort"
    r"|contraseña|mot de passe|senha"
    r"|wachtwoord|hasło|passcode|passwd|pwd)\s?(?:is|ist|es|est|é|:|=|to)\s?[\"'`]?"
    r"([^\s\"'`]*[\d!@#$%^&*][^\s\"'`]{2,64})", re.IGNORECASE
)  # fmt: skip
LONGEST_NUMBER = 64
"""Characters of a number that may go on; none of the forms is longer."""
OPEN_NUMBER = re.compile(
    r"[A-Z0-9 ]{0,40}\d{2}[A-Z]{2}(?!\w)|[\d ().+/-]*[\d+(](?![\w/#.-])", re.ASCII
)
"""An IBAN that began and may not have ended, or else a number, read backwards."""


@dataclass(frozen=True, slots=True)
class Datum:
    """One find: what it is, and where."""

    kind: str
    start: int
    end: int
    secret: bool = False


def luhn(digits: str) -> bool:
    """Whether a card number's check digit is right."""
    doubled = [int(d) * 2 if at % 2 else int(d) for at, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def mod97(iban: str) -> bool:
    """Whether an IBAN's check digits are right (ISO 13616)."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    # Snowflakes are as long as card numbers, orders as the oldest ones; a card begins with 2 to 6.
    return 14 <= len(digits) <= 16 and digits[0] in "23456" and luhn(digits)


def _iban(text: str) -> bool:
    compact = text.replace(" ", "")
    return 15 <= len(compact) <= 34 and mod97(compact)


def _any(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Form:
    """What one kind of data looks like, and without what a text can't hold it."""

    kind: str
    pattern: re.Pattern[str]
    right: Callable[[str], bool] = _any
    secret: bool = False
    digits: int = 0
    """So many at least, as the pattern has them."""
    cues: tuple[str, ...] = ()
    """One of them, in casefolded text."""


FORMS = (
    _Form("key", PRIVATE_KEY, secret=True, cues=("private key",)),
    _Form("webhook", WEBHOOK, secret=True, cues=("/webhooks/",)),
    _Form("token", SECRET, secret=True),
    _Form(
        "password", PASSWORD, secret=True,
        cues=("pass", "pwd", "wachtwoord", "hasło", "contraseña", "senha"),
    ),
    _Form("card", CARD, _card, digits=13),
    _Form("iban", IBAN, _iban, digits=2),
    _Form("ssn", SSN, digits=9),
    _Form("id", NATIONAL_ID, is_national_id, digits=8),
    _Form("email", EMAIL, cues=("@",)),
    _Form("phone", PHONE, digits=8),
    _Form("phone", SAID_PHONE, digits=8),
)  # fmt: skip
DIGIT = re.compile(r"\d")
CUES = ("@", "eyJ", "sk-", "PRIVATE KEY", "assw", "wd", "wachtw", "senha", "mot de passe", "hasło")


def find(text: str) -> Iterator[Datum]:
    """Yield personal data and secrets, kind by kind; spans may overlap."""
    text = text[:MAX_CHARS]
    digits = len(DIGIT.findall(text))
    if not digits and not any(cue in text for cue in CUES):
        return
    low = text.casefold()
    for form in FORMS:
        if digits < form.digits or (form.cues and not any(cue in low for cue in form.cues)):
            continue
        for match in form.pattern.finditer(text):
            if form.right(match[0]):
                # What says of what kind it is stays, as in "my password is …".
                start, end = match.span(match.lastindex or 0)
                yield Datum(form.kind, start, end, form.secret)


def open_number(text: str) -> int | None:
    """Return where a number begins that may go on after the end of a text, if one does."""
    if match := OPEN_NUMBER.match(text[-LONGEST_NUMBER:][::-1]):
        return len(text) - match.end()
    return None


def redact(text: str, *, keep: str = "", private_only: bool = False) -> str:
    """Return the text with personal data replaced by its kind, such as `[email]`.

    What also stands in `keep` (the person's own message) stays; with `private_only` an address at
    a company or project stays, since a factual answer may have to name it.
    """
    spans = []
    for datum in find(text):
        found = text[datum.start : datum.end]
        if found in keep:
            continue
        if private_only and datum.kind == "email" and not PRIVATE_MAIL.search(found):
            continue
        spans.append(datum)
    result, at = [], 0
    for datum in sorted(spans, key=lambda d: (d.start, -d.end)):
        if datum.start >= at:
            result += [text[at : datum.start], f"[{datum.kind}]"]
            at = datum.end
    return "".join(result) + text[at:]
