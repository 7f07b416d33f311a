"""What is never remembered, whoever asks: sensitive classes, contact data, secrets.

Words of the main languages, by stem. It errs on the side of forgetting. Allergies are no member:
they are the very thing that a constraint is for.
"""

from __future__ import annotations

import re
from typing import Final

from bot.memory.words import fold

_WORDS: Final = {
    "health": r"""
        depress(?:ed|ion|iv|ao|ione|ao) depresi(?:on|vo|va) suicid\w* suizid\w* self.?harm\w*
        selbstmord\w* selbstverletz\w* autolesion\w* anxiety angststorung panikattack\w* bipolar\w*
        schizophren\w* schizofren\w* adhd adhs autis\w+ ptsd therapist psychiatr\w+ psychother\w+
        antidepress\w+ medication medikament\w* diagnos\w+ cancer krebs(?:krank\w*)? cancer\w*
        chemo\w* hiv aids diabet\w+ epilep\w+ pregnan\w+ schwanger\w* enceinte embaraz\w+ abortion
        abtreibung aborto avortement miscarriage fehlgeburt alcoholic alkoholiker\w*
        addict(?:ed|ion) eating.disorder anorex\w+ bulimi\w+ disabilit\w+ wheelchair
        депресси\w+ рак беремен\w+
        суицид\w* 自殺 自杀 抑郁 鬱病 うつ病 癌 妊娠 怀孕 우울증 자살 임신""",
    "religion": r"""
        my.(?:faith|religion|church|mosque|synagogue|temple) christian catholic katholi\w+
        catolic\w+ catholique protestant\w* evangelisch muslim\w* musulman\w* moslem\w* jewish
        judisch\w* judi[oa] juif juive hindu\w* buddhist\w* budist\w* atheist\w* ateo atea athee
        mormon\w* православн\w+ мусульман\w* 基督徒 穆斯林 佛教徒 キリスト教徒 기독교인""",
    "sexuality": r"""
        gay lesbian lesbisch lesbiana lesbienne bisexual\w* bisexuell schwul homosexu\w+ transgender
        transsexu\w+ queer asexual\w* nonbinary non.binary my.(?:kink|fetish)\w* porn\w* having.sex
        гей лесбиянк\w* 同性恋 同性愛\w* 게이 레즈비언""",
    "politics": r"""
        (?:i|we).vote[ds]? voted.for republican democrats? conservative.party labour.party
        communist\w* kommunist\w* socialist\w* fascist\w* nazi\w* (?:ich|wir).wahl\w+ afd spd cdu
        far.(?:right|left) trump.supporter trade.union gewerkschaft\w* голосова\w+
        共产党 共産党""",
    "minors": r"""
        i.?a?m.(?:[5-9]|1[0-7]).(?:years?.old|yo|yrs?) ich.bin.(?:[5-9]|1[0-7]).jahre
        j.?ai.(?:[5-9]|1[0-7]).ans tengo.(?:[5-9]|1[0-7]).anos tenho.(?:[5-9]|1[0-7]).anos
        ho.(?:[5-9]|1[0-7]).anni ik.ben.(?:[5-9]|1[0-7]).jaar i.?a?m.(?:a.)?minor
        i.?a?m.in.(?:[1-9]|1[01])(?:st|nd|rd|th).grade""",
    "secret": r"""
        (?:my|mein|mon|mi|minha|mia|mijn).(?:password|passwort|mot.de.passe|contrasena|senha
        |wachtwoord|pin|pin.code|social.security\w*|passport\w*|credit.card\w*|kreditkarte\w*)
        api.?key seed.phrase пароль 密码 パスワード 비밀번호""",
}
_UNSPACED: Final = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]")
_FORMS: Final = (
    ("contact", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")),
    ("contact", re.compile(r"(?<![\w.])\+?(?:\d[ ()./-]{0,2}){8,19}\d(?!\w)")),
    ("contact", re.compile(r"\b\d{1,5}\s+(?:\w+\s+){1,3}(?:street|st|avenue|ave|road|rd|lane)\b")),
    ("contact", re.compile(r"\b\w{2,30}(?:strasse|straße|str\.|weg|gasse|platz)\s+\d{1,4}\b")),
    ("secret", re.compile(r"\b(?:sk|pk|ghp|gho|xox[a-z]|AKIA|hf)[-_]?[A-Za-z0-9_-]{16,}")),
    ("secret", re.compile(r"\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}\b")),
    ("secret", re.compile(r"-----BEGIN [A-Z ]{1,30}-----")),
)


def _pattern(words: str) -> re.Pattern[str]:
    compact = re.sub(r"\s+\|", "|", words)
    alternatives = []
    for word in compact.split():
        spaced = word.replace(".?", "[^a-z0-9]?").replace(".(", "[^a-z0-9](")
        spaced = re.sub(r"(?<=[a-z)\]s])\.(?=[a-z])", "[^a-z0-9]", spaced)
        alternatives.append(spaced if _UNSPACED.search(word) else rf"(?<!\w){spaced}(?!\w)")
    return re.compile("|".join(alternatives))


_CLASSES: Final = {name: _pattern(words) for name, words in _WORDS.items()}


def sensitive_class(text: str) -> str | None:
    """Return which class of what is never stored a text touches; None if it touches none."""
    for name, form in _FORMS:
        if form.search(text[:4000]):
            return name
    folded = fold(text)
    return next((name for name, words in _CLASSES.items() if words.search(folded)), None)
