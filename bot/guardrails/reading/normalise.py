"""Seeing what a reader sees: views of a text without its disguises.

`plain` undoes what never carries meaning (invisible characters, letter look-alikes within a
Latin word, accents on Latin letters, hamza and vowel signs in Arabic, markdown). The other views
each undo one disguise that may also be innocent: leet, separators within words, spaced-out
letters, stretched letters, stars in place of letters, words run together, words turned round,
slips of the finger. A rule that matches any
view matches. Text in other scripts stays as it is. Where words end that are run together only a
lexicon can tell; without one they stay so.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from string import ascii_lowercase

from bot.guardrails.expressions import matches
from bot.guardrails.reading.confusables import LOOKALIKES
from bot.guardrails.reading.encoded import LEET, LEET_L, decoded
from bot.guardrails.reading.misspelt import mended, slips
from bot.guardrails.reading.run_together import Lexicon, by_capitals, by_words, parted

MAX_CHARS = 20_000
"""Longer text is judged in its first and last half of this."""

LONG = 600
"""Characters from which other views than the plain one show only what differs from it."""
REACH = 160
"""Characters shown on either side: of a hundred patterns one can match more."""
SEAM = "\0"
"""Stands at the ends of a part where the text goes on."""
PART = re.compile("\0?[^\0]+\0?")

FOLD = {ord(char): letter for letter, chars in LOOKALIKES.items() for char in chars}
FOLDABLE = frozenset(map(chr, FOLD))


def _table() -> dict[int, str | None]:
    """Return what is undone before anything else."""
    table: dict[int, str | None] = {}
    invisible = (
        (0xAD, 0xAD), (0x345, 0x345), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160),
        (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E),
        (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0x20E3, 0x20E3), (0xE0000, 0xE001F),
        (0xE007F, 0xE01EF),
    )  # fmt: skip
    for first, last in invisible:
        table.update(dict.fromkeys(range(first, last + 1)))
    table[0x2800] = " "  # braille without dots
    table.update({0xE0000 + code: chr(code) for code in range(0x20, 0x7F)})  # tag characters
    for start in (0x1F110, 0x1F130, 0x1F150, 0x1F170, 0x1F1E6):  # parenthesised, squared, flags
        table.update({start + at: chr(ord("a") + at) for at in range(26)})
    table.update(dict.fromkeys(map(ord, "’‘ʼ´`＇′"), "'"))
    table.update(dict.fromkeys(map(ord, "“”„«»＂"), '"'))
    table.update(dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"))
    return table


TABLE = _table()
LATIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"}
)
LATIN.update(
    {
        code: letter
        for code, letter in FOLD.items()
        if "SMALL CAPITAL" in unicodedata.name(chr(code))
    }
)
ALEF = str.maketrans(
    {**dict.fromkeys("أإآٱ", "ا"), **dict.fromkeys(map(chr, (0x640, *range(0x64B, 0x653))), "")}
)
"""Arabic as most people type it: no hamza on an alef, no vowel signs, no stretching."""
MARK = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
MARK_SET = frozenset(chr(code) for code in (*range(0x300, 0x370), *range(0x1AB0, 0x1B00),
    *range(0x1DC0, 0x1E00), *range(0x20D0, 0x2100), *range(0xFE20, 0xFE30)))  # fmt: skip
MARKS = re.compile(rf"(?<=[a-z\s])[{MARK}]+|[{MARK}]{{2,}}")
JOINERS = re.compile("(?<![\u0600-\u0dff])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\u0dff])")
"""Zero-width (non-)joiners; between Arabic or Indic letters they are spelling."""
LETTERS = re.compile(r"[^\W\d_]+")
LETTERS_TOGETHER = re.compile(r"[^\W\d_]{2}")
LATIN_LETTER = re.compile("[a-z]")

LETTER_EMOJI = re.compile(r":regional_indicator_([a-z]):")
EMOJI = re.compile(r"<a?:(\w{1,32}):\d{1,20}>")
MENTION = re.compile(r"<[@#][!&]?\d{1,20}>")
MARKDOWN = re.compile(
    r"\*{2,}|__|(?<![^\W_])_|_(?![^\W_])|~~|\|\||`+|\\(?=[^\w\s])|(?m:^>{1,3} |^#{1,3} )"
)
"""Underscores within a word are part of it, as in `snake_case`; around words they are italics."""

LEET_TOKEN = re.compile(r"(?<![\w@$!|€£+])(?:[^\W0134578])*+[0134578@$!|€£+][\w@$!|€£+]*+")
"""A word in which one of the signs stands; in linear time, so possessive from its beginning."""
LEET_SIGN = re.compile(r"[0134578@$!|€£+]")
STROKES = frozenset("1|!")
"""Signs that may be an `i` or an `l`."""
LONE_SIGNS = re.compile(r"(?<!\S)[0134578@$]{1,3}(?!\S)")
"""Words of signs only, such as `70` for "to"; read so where other words are leet too."""
DIGITS_AROUND = re.compile(r"^\d*(?:1st|2nd|3rd|\dth|\d(?:k|h|m|s|am|pm|gb|mb|kg|cm|km|x|d))?$")

GAP = r"[\s.\-_*~|·•/\\^+=,:;'\"!?()\[\]#]"
"""What stands between spaced-out letters; not every non-letter: Indic vowel signs are marks."""
RUN = re.compile(rf"(?<![^\W_])[^\W\d_](?:{GAP}{{1,3}}[^\W\d_](?![^\W_])){{2,}}")
BETWEEN = re.compile(rf"{GAP}+")
SEPARATORS = ".-_*~|·•/\\^+=,:;"
SEPARATOR = f"[{re.escape(SEPARATORS)}]"
INSIDE = re.compile(rf"{SEPARATOR}(?<=[^\W\d_].){SEPARATOR}{{0,2}}(?=[^\W\d_])")
"""Between letters; looked for by the separator, which is rarer than a letter."""
STRETCH = re.compile(r"([^\W\d_])\1{2,}")
STRETCHED = "|".join(f"{letter}{{3}}" for letter in ascii_lowercase)
"""The same in plain letters: most texts hold none, which RE2 tells at once."""
MASKED = re.compile(r"(?<![a-z])[a-z]++(?:[*#]{1,4}[a-z]*){1,6}")
HIDDEN_WORDS = tuple(
    """kill suicide suicidal myself yourself die dead death hang rope cut cutting harm bomb rape
    bitch fuck fucking shit cunt whore slut porn sex nude nudes murder shoot gun drugs meth cocaine
    heroin faggot nigger retard tranny kike chink spic want life end build pipe tonight better
    everyone without weapon steal hack""".split()  # noqa: SIM905  # word list
)
HIDDEN_BY_START = {
    start: tuple(word for word in HIDDEN_WORDS if (word[0], len(word)) == start)
    for start in {(word[0], len(word)) for word in HIDDEN_WORDS}
}
TURNED = {word for word in HIDDEN_WORDS if len(word) >= 4}.union(
    """killing kills killed suicide suicidal ignore umbringen sterben suizid suicidarme matar
    matarme morir morirme mourir suicider morrer uccidermi suicidarmi morire zabic
    umrzec""".split()  # noqa: SIM905  # word list
)
"""Words that are no words when read from behind."""
TURNED_ANY = re.compile("|".join(TURNED))
REVERSED = frozenset(word[::-1] for word in TURNED)
MOST_DECODED = 5
"""Words in base64 that are read."""


@dataclass(frozen=True, slots=True)
class Views:
    """A text as judged: `plain`, then `others`."""

    plain: str
    others: tuple[str, ...] = ()
    excerpts: tuple[str, ...] = ()
    """In place of the others of a long text: the parts of them that differ from `plain`."""

    @property
    def all(self) -> tuple[str, ...]:
        """The views that show the whole text."""
        return (self.plain, *self.others)


def normalise(text: str, known: Lexicon | None = None) -> Views:
    """Return the views of a text. Pure; some 0.4 ms for 2,000 characters of English,
    and up to 3 ms where words are spelled out or run together."""
    if len(text) > MAX_CHARS:
        text = f"{text[: MAX_CHARS // 2]}\n{text[-MAX_CHARS // 2 :]}"
    letters = _letters(text)
    shown = _unmarked(letters)
    words = shown.split()
    plain = " ".join(words)
    runs = _joined(shown, known)
    others: dict[str, None] = {}
    for view in (plain, *runs):
        for variant in (view, *_without_separators(view)):
            others[variant] = None
            for read in (*_leet(variant), *_unstretched(variant)):
                others[read] = None
    if "*" in letters or "#" in letters:
        others[_without_masks(" ".join(letters.split()))] = None
    if capitals := by_capitals(text):
        said_so = {plain_view(word): plain_view(said) for word, said in capitals.items()}
        others[_parted(plain, said_so)] = None
    if known is not None and (long := by_words(plain, known)):
        others[_parted(plain, long)] = None
    if not REVERSED.isdisjoint(words):
        others[around(plain[::-1], TURNED_ANY)] = None
    if wrong := slips(plain):
        others[mended(around(plain, wrong))] = None
    if known is not None and len(plain) <= LONG:
        plain = _worded(plain, runs, known)
    others.pop(plain, None)
    others.pop("", None)
    said = tuple(view for view in map(plain_view, _encoded(text)) if view not in (plain, ""))
    if len(plain) <= LONG:
        return Views(plain, tuple({**others, **dict.fromkeys(said)}))
    parts = dict.fromkeys(part for view in others for part in PART.findall(view))
    changed = tuple(part for part in parts if part.strip(SEAM) not in plain)
    return Views(plain, said, changed)


def _worded(plain: str, runs: Sequence[str], known: Lexicon) -> str:
    """Return a text with words: one that is all spelled out, or one word, has none as it stands."""
    if runs and not LETTERS_TOGETHER.search(plain):
        return runs[-1]
    if " " in plain or "://" in plain:
        return plain
    spaced = INSIDE.sub(" ", plain)
    return _parted(spaced, by_words(plain, known))


def around(text: str, found: re.Pattern[str] | Sequence[re.Match[str]]) -> str:
    """Return the parts of a long text around some matches, as far as a rule's match may reach;
    a text that is not long as a whole, and nothing where there is no match."""
    if len(text) <= LONG:
        return text
    parts: list[str] = []
    start = end = -1
    for match in found.finditer(text) if isinstance(found, re.Pattern) else found:
        at = match.start()
        if end < 0:
            start = at
        elif at > end + 3 * REACH and 0 <= text.find(" ", end + REACH) < at - REACH:
            parts.append(_part(text, start, end))
            start = at
        end = match.end()
    if end >= 0:
        parts.append(_part(text, start, end))
    return "".join(parts)


def _part(text: str, start: int, end: int) -> str:
    """Return a place of a text and the whole words within reach of it, with a seam on each side
    where the text goes on."""
    start, end = max(0, start - REACH), end + REACH
    start = text.rfind(" ", 0, start) + 1 if start else 0
    after = text.find(" ", end)
    ended = after < 0
    return f"{SEAM if start else ''}{text[start:] if ended else text[start:after] + SEAM}"


def plain_view(text: str) -> str:
    """Return the first view only."""
    return " ".join(_unmarked(_letters(text)).split())


def _letters(text: str) -> str:
    """Undo what is done to single characters."""
    if text.isascii():
        return text.replace("`", "'").lower()
    if not TABLE.keys().isdisjoint(map(ord, set(text))):
        text = text.translate(TABLE)
    text = unicodedata.normalize("NFKC", text).casefold()
    if "\u200c" in text or "\u200d" in text:
        text = JOINERS.sub("", text)
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text)
    if apart != text or not MARK_SET.isdisjoint(text):
        text = unicodedata.normalize("NFC", MARKS.sub("", apart))
    used = set(text)
    codes = set(map(ord, used))
    if not LATIN.keys().isdisjoint(codes):
        text = text.translate(LATIN)
    if not ALEF.keys().isdisjoint(codes):
        text = text.translate(ALEF)
    return text if FOLDABLE.isdisjoint(used) else _folded(text, used)


def _folded(text: str, used: set[str]) -> str:
    """Read look-alikes within Latin words as the letters they look like.

    A word of look-alikes only is folded where nothing else shows that its script is meant.
    """
    if not any("a" <= char <= "z" for char in used):
        return text
    foreign = any(c.isalpha() and not c.isascii() and c not in FOLDABLE for c in used)

    def fold(match: re.Match[str]) -> str:
        word = match[0]
        if word.isascii():
            return word
        strange = [char for char in word if not char.isascii()]
        if not FOLDABLE.issuperset(strange):
            return word
        return word if foreign and len(strange) == len(word) else word.translate(FOLD)

    return LETTERS.sub(fold, text)


def _unmarked(text: str) -> str:
    """Undo Discord's markup."""
    if ":" in text:
        text = LETTER_EMOJI.sub(r"\1", EMOJI.sub(r"\1", text))
    if "<" in text:
        text = MENTION.sub(" ", text)
    return MARKDOWN.sub("", text) if any(char in text for char in "*_~|`\\>#") else text


def _joined(text: str, known: Lexicon | None) -> tuple[str, ...]:
    """Join letters that stand alone in a row: to the words that the gaps between them tell, and to
    those that the letters tell."""
    near = around(text, RUN)
    if not RUN.search(near):
        return ()
    views = [RUN.sub(together, near)]
    if known is not None:
        views.append(RUN.sub(lambda run: parted(BETWEEN.sub("", run[0]), known), near))
    return tuple(dict.fromkeys(" ".join(view.split()) for view in views))


def together(run: re.Match[str]) -> str:
    """Return the words that letters in a row spell: the gap that is most usual parts no words."""
    gaps = Counter(BETWEEN.findall(run[0]))
    usual = min(gaps, key=lambda gap: (-gaps[gap], len(gap)))
    return "".join(
        "" if part == usual else " " if part in gaps else part
        for part in re.split(f"({GAP}+)", run[0])
    )


def _without_separators(text: str) -> tuple[str, ...]:
    if not INSIDE.search(text):
        return ()
    text = around(text, INSIDE)
    return INSIDE.sub(" ", text), INSIDE.sub("", text)


def _leet(text: str) -> tuple[str, ...]:
    """Read digits and signs within words as letters; 1 and | as i, then as l."""
    if not LEET_SIGN.search(text):
        return ()

    def read(token: str, table: dict[int, str]) -> str:
        if DIGITS_AROUND.match(token) or not LATIN_LETTER.search(token):
            return token
        core = token.rstrip("!|+")
        return core.translate(table) + token[len(core) :]

    tokens = list(LEET_TOKEN.finditer(text))
    said = {token[0]: read(token[0], LEET) for token in tokens}
    read_so = [token for token in tokens if said[token[0]] != token[0]]
    if not read_so:
        return ()
    text = around(text, read_so)
    first = LEET_TOKEN.sub(lambda token: said[token[0]], text)
    if len(read_so) > 1:
        first = LONE_SIGNS.sub(lambda match: match[0].translate(LEET), first)
    if STROKES.isdisjoint(text):
        return (first,)
    said |= {token: read(token, LEET_L) for token in said if not STROKES.isdisjoint(token)}
    return first, LEET_TOKEN.sub(lambda token: said[token[0]], text)


def _unstretched(text: str) -> tuple[str, ...]:
    if not (matches(STRETCHED, text.encode()) if text.isascii() else STRETCH.search(text)):
        return ()
    text = around(text, STRETCH)
    # "killll" keeps its double l where "wanttt" needs a single t.
    mixed = STRETCH.sub(lambda m: "ll" if m[1] == "l" else m[1], text)
    return STRETCH.sub(r"\1", text), STRETCH.sub(r"\1\1", text), mixed


def _without_masks(text: str) -> str:
    """Read words with stars in them; markup is left in, since it may be what hides a word."""
    if len(text) > LONG:
        text = around(text, [m for m in MASKED.finditer(text) if _unmasked(m) != m[0]])
    return MASKED.sub(_unmasked, text)


def _unmasked(match: re.Match[str]) -> str:
    """Read `k*ll` as the word that it hides, if it is one of the words that people hide."""
    masked = match[0]
    perhaps = HIDDEN_BY_START.get((masked[0], len(masked)), ())
    return next((word for word in perhaps if _hides(masked, word)), masked)


def _hides(masked: str, word: str) -> bool:
    return all(sign in (letter, "*", "#") for sign, letter in zip(masked, word, strict=True))


def _parted(plain: str, said: Mapping[str, str]) -> str:
    """Write words with spaces that were written without."""
    if not said:
        return plain
    without = re.compile("|".join(map(re.escape, sorted(said, key=len, reverse=True))))
    return without.sub(lambda match: said[match[0]], around(plain, without))


def _encoded(text: str) -> Iterator[str]:
    """Return what base64 in the text says, if it says something in letters."""
    return islice(filter(_in_letters, decoded(text)), MOST_DECODED)


def _in_letters(said: str) -> bool:
    letters = sum(char.isalpha() or char == " " for char in said)
    return said.isprintable() and letters * 10 >= 8 * len(said)
