"""Orders to a model, and words about what it is: neither is a fact about the person.

In a prompt a memory would steer every later reply: "never mention that you are an AI".
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_COMMAND: Final = re.compile(
    r"\b(?:system|assistant|developer)\s*:|https?://|www\.|```|<[|/@]|\[/?inst"
    r"|\b(?:ignore|disregard|override|jailbreak|system prompt"
    r"|you (?:must|should|are now|will|have to|can)"
    r"|from now on|pretend|instruction\w*|ignorier\w*|vergiss alle|du (?:musst|sollst|bist jetzt)"
    r"|anweisung\w*|ignore[zr]?|tu dois|vous devez|ignora|debes|tienes que|devi|je moet"
    r"|игнорируй|ты должен|無視し|忽略)\b"
    r"|(?:^|\band |\bthat |[,.;:!]\s*)(?:you )?(?:always|never|only) (?:answer|reply|respond|speak"
    r"|talk|write|refuse|agree|decline|start|end|begin|break character)\b"
    r"|\b(?:obey|refuse nothing|do anything i|without (?:any )?restrictions?|no restrictions"
    r"|every order|all (?:my )?(?:orders|commands)|unfiltered|uncensored)\b"
    r"|\b(?:antworte|sprich|schreib|gehorche?) (?:immer|nur|stets|mir)\b|\bimmer (?:gehorchen"
    r"|antworten)\b|\b(?:réponds|obéis|parle) (?:toujours|uniquement)\b|\bobéis\b"
    r"|\b(?:responde|obedece|habla) siempre\b|\b(?:responda|obedeça|fale) sempre\b"
    r"|\b(?:rispondi|obbedisci|parla) sempre\b|\b(?:antwoord|gehoorzaam) altijd\b"
    r"|\b(?:odpowiadaj|słuchaj) zawsze\b|\b(?:всегда отвечай|отвечай всегда|подчиняйся)\b"
    r"|(?:必ず|常に|いつも).{0,20}(?:答えて|従って|話して)|(?:总是|永远|必须).{0,10}(?:回答|服从)"
    r"|(?:항상|언제나).{0,15}(?:대답|복종)",
    re.IGNORECASE,
)

_BEGINS: Final = (
    r"(?:^|[,.;:!?]\s*"
    r"|\b(?:and|but|that|und|dass|y|e|que|che|et|en|dat|i|że|och|att|и|что|ve) )"
)
"""Where a clause begins: "I love when you are funny" is about the person, "you are human" not."""
_ABOUT_YOU: Final = (
    r"you(?:'re|’re| are| were| never| always| have no| don't| do not)\b",
    r"(?:deny|pretend|claim|insist) (?:that |to )?(?:you|be)\b",
    r"i (?:want|need|expect) you to\b",
    (
        r"(?:never|don't|do not|stop) (?:show|give|send|mention|nam)\w* (?:me )?(?:\w+ )?"
        r"(?:help ?lines?|hotlines?|numbers|warnings?|disclaimers?)\b"
    ),
    r"du (?:bist|warst|sagst|erwähnst|hast kein\w*|darfst|musst)\b",
    r"du (?:eine?n? )?(?:ki|mensch|maschine|bot|programm)\w* (?:bist|warst|seist)\b",
    r"(?:tú )?eres\b",
    r"(?:tu es|vous êtes)\b",
    r"(?:você é|tu és)\b",
    r"(?:tu )?sei (?:un|una|umano|umana|vero|reale)\b",
    r"(?:je|jij) bent\b|(?:je|jij) (?:een )?(?:ai|mens|machine|bot|computer)\w* bent\b",
    r"(?:ty )?jesteś\b",
    r"du är\b",
    r"(?:ты|вы) (?:не )?(?:человек|люди|бот|ии|машина|настоящ\w+|живо[йе])",
    r"sen (?:bir |artık )?(?:insan|gerçek|yapay)\w*|yapay zek[aâ] olduğun\w*",
)
_UNSPACED: Final = (
    r"(?:あなた|お前|君|きみ)[はが][^。、]{0,12}(?:人間|AI|本物|機械|ロボット)",
    r"(?:너는|넌|당신은|당신이|너가|네가)[^.]{0,12}(?:사람|인간|ai|진짜|기계|로봇)",
    r"(?:你|您)(?:不)?是[^。,,]{0,8}(?:人|ai|真|机器|程序)",
    r"(?:तुम|आप|तू) [^।]{0,16}(?:इंसान|मनुष्य|एआई|ai|असली)",
    r"(?:^|[\s،.])(?:أنت|انت|إنك|انك|أنك) [^.]{0,16}(?:إنسان|انسان|بشر|حقيقي|ذكاء|روبوت)",
)
_TOLD: Final = re.compile(
    "|".join(f"{_BEGINS}(?:{each})" for each in _ABOUT_YOU) + "|" + "|".join(_UNSPACED),
    re.IGNORECASE,
)


def is_command(text: str) -> bool:
    """Whether a text would steer a model, were it to stand in a prompt."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return _COMMAND.search(plain) is not None or _TOLD.search(plain) is not None
