"""What the wording of a message says, whatever it is about: asked, wanted, or told.

Read after another turn only. None of it decides a route: it says how many times as likely a
new route must be as the one that a conversation is in.
"""

from __future__ import annotations

import re

from bot.routing.text import any_of, cut, fold

BEGINNING = 200
"""Characters in which a request would be named."""


BRIEF = 44
"""Bytes of a message that is hardly more than a name."""


_BEFORE = (
    r"(?:(?:hey|hi|cool|nice|great|thanks|ok|okay|so|now|and|but|also|btw|wait|well|quick|please|pls|plz|bot|yo|lol|"
    r"bitte|por favor|porfa|anda|stp|per favore|prosze|lutfen|tolong|пожалуиста)[, ]+)*+"
)
"""Small words before what is wanted. All texts here are as `fold` leaves them."""
_WORK = any_of(
    "write draft compose invent translate rewrite rephrase rename name explain define calculate",
    "convert solve proofread debug fix list imagine pretend roast describe brainstorm recommend",
    "suggest remind compare compute summari[sz]e",
    r"schreib\w* ubersetz\w* erklar\w* nenn\w* erfind\w* empfiehl",
    r"escrib\w* traduc\w* explica\w* dime cuentame dame haz hazme inventa calcula recomienda\w*",
    r"ecri[st] ecrivez traduis explique\w* donne invente raconte propose corrige calcule",
    r"escrev\w* traduz\w* conta invente crie diga cria faz faca",
    "scrivi traduci spiega dimmi dammi raccontami fammi correggi",
    "napisz przetlumacz wyjasnij wymysl podaj opowiedz policz",
    r"напиш\w* перевед\w* объясн\w* придума\w* расскаж\w* назови посчитаи посоветуи",
    r"acikla\w* hesapla\w* oner\w*",
    "schrijf vertaal verzin noem",
    "tulis buatkan buatin jelaskan terjemahkan sebutkan ceritakan hitung",
    "اكتب اكتبي اعطني ترجم اشرح احك احكي الف اخترع",
    "लिखो लिखिए बताओ बताइए सुनाओ समझाओ",
)
_REQUEST = re.compile(
    rf"(?:^|[^\w\s']\s*|\b(?:so|now|and|but|anyway|please|pls|ok)\s+){_BEFORE}"
    r"(?:(?:can|could|would|will) (?:you|u) (?:please |pls )?)?(?:help me |let'?s )?"
    r"(?:(?:make up|come up with|think up|tell me|give me|gimme|make me|sing me|craft"
    rf"|{_WORK})(?!\w)"
    r"|(?:写|编|讲|翻译|给我|帮我|起个|想个|推荐|解释))"
)
"""A clause that begins with the work that is wanted."""
_FEW = any_of(
    "an? one some another two three four five short silly sad funny little tiny quick",
    "ein\\w* kurz\\w* une? petite? un[ao]? uma? cort[oa] breve",
)
_PIECES = any_of(
    "poems? haikus? sonnet limerick ode couplet lyrics song rap ballad lullaby story tale fable",
    "joke puns? riddle slogan tagline dialogue monologue scene lines names? nicknames? toast",
    "epitaph headline obituary caption gedicht\\w* geschichte witz\\w* namen? reim",
    "poema cuento chiste historia cancion nombres? poeme histoire blague chanson noms?",
    "conto piada cancao nomes? poesia storia barzelletta canzone nomi",
    "стих\\w* рассказ истори\\w шутк\\w имя имена wiersz historia opowiesc imiona",
)
_WORK_ALONE = re.compile(
    rf"^{_BEFORE}(?:(?:{_FEW})\s)*+(?:{_PIECES})\s(?:"
    + any_of(
        "about for on from that in where uber fur sobre de para sur pour su per con про о для dla"
    )
    + r")(?!\w)"
)
"""A piece of work that is only named: "haiku about night buses"."""
_PIECE = re.compile(
    r"\b(?:an?|another|one|some|ein\w*|une?|un[ao]?|otr[oa]|uma?|outr[oa]|autre|altr[oa]|еще|jeszcze)"
    rf"\s(?:\w+\s)?(?:{_PIECES})(?!\w)"
)
"""A piece of work that is not there yet: "now a limerick on it"."""
_REQUEST_LAST = re.compile(
    r"(?:書いて|作って|考えて|教えて|訳して|つけて|説明して|써 ?줘|지어 ?줘|만들어 ?줘|알려 ?줘|"
    r"추천해 ?줘|번역해 ?줘|설명해 ?줘|\byaz|\bcevir|\banlat|\bsoyle|लिखो|लिख दो|बताओ|सुनाओ|समझाओ)"
    r"[^\w]*$"
)
"""The same where the verb stands last."""
_QUESTION_MARK = re.compile("[?؟]")
_QUESTION = re.compile(
    rf"^{_BEFORE}(?:"
    + any_of(
        r"whats? hows? whos? wheres? when which whys? is are does do did can (?:in|at)\swhat",
        "difference diff capital odds cheapest",
        "que cual cuant[oa]s? quien donde cuando como por\\sque quant[oaie]s? quem onde qual chi",
        "dove quando perche wie was wer wo wann warum welche\\w* unterschied combien qui ou",
        "quand comment pourquoi (?:en\\s)?quel\\w* est-ce cest\\squoi",
        "ile kto gdzie kiedy jak dlaczego czym hoeveel wat waar wanneer hoe waarom berapa apa",
        "siapa dimana kapan bagaimana kenapa kac kim nerede",
        "nasil neden сколько кто где когда как почему что какои",
        "какая какие كم كيف متى اين",
        "لماذا هل कितना कितने कौन कहां कैसे",
    )
    + r")(?!\w)"
)
"""A question may come without its mark: "how tall is k2"."""
_QUESTION_LATER = re.compile(
    r"(?:[,.;:!\n-] ?|^\w+(?: \w+)? but )(?:how (?:do|does|can|long|many|much|far)"
    r"|what(?:s| is| are| does)|why (?:is|do|does)|who (?:is|was)|when (?:is|was|does)"
    r"|is (?:it|there)|(?:do|can|should) i|wie (?:viel|lang|geht|macht|kann)|was (?:ist|heisst)"
    r"|como (?:se|puedo|faco)|comment (?:on|je|faire)|que es|o que e|come (?:si|faccio)) "
)
"""The same in a later clause: "it says no disk, how do i fix that"."""
_QUESTION_ANYWHERE = re.compile(
    r"多少|什么|什麼|是谁|几[个年月]|怎么|怎样|哪里|哪个|吗$|何[歳年分人個]|いくつ|どこ|いつ|だれ|誰|なぜ|"
    r"ですか|얼마|뭐|무엇|누구|언제|어디|몇|la gi|bao nhieu|^cach |क्या है|कितन"
)
_ASKS_BACK = re.compile(r"[?؟？][^.!?؟？。]{0,40}\Z")
_PERSONS = re.compile(
    r"\b(?:"
    + any_of(
        "i im ive id ill me my mine we us our he she his her him hes shes you your youre u ur",
        "ich mir mich mein\\w* du dich dir je j ma mon mes moi tu yo mi mis eu meu minha io mio",
        "mia я мне меня мои моя ты ben benim bana sen ja mnie moj moja ik mijn aku saya gue",
        "kamu انا انت मैं मुझे मेरा मेरी",
    )
    + r")(?!\w)|[我你您他她]|私|俺|僕|나는|내가|저는|제가"
)
_OF_REPLY = re.compile(
    r"\b(?:(?:your|that|the|ur)\s(?:(?:very\s)?(?:previous|last|earlier|prior|preceding|first|above)"
    r"|own)\s(?:answer|response|reply|message|output|version|text|draft|attempt|suggestion)s?\b"
    r"|the (?:answer|response|reply) above\b|(?:rephrase|rework|revise|rewrite|redo|shorten) "
    r"(?:it|that|the above|your (?:answer|response|reply))\b"
    r"|do (?:the same|that|it|this)(?: task| thing)? (?:again|over)\b|same task again\b"
    r"|(?:vor(?:herig|ig)\w*|letzte\w*|obig\w*) (?:antwort|nachricht|fassung)"
    r"|(?:reponse|message) precedente?\b|(?:precedente|derniere) reponse\b"
    r"|(?:respuesta|mensaje|resposta|mensagem) anterior\b|ultima (?:respuesta|resposta)\b"
    r"|risposta precedente\b|ultima risposta\b|(?:vorige|laatste|eerdere) antwoord\b"
    r"|(?:poprzedni\w*|ostatni\w*) odpowiedz\w*|(?:предыдущ|прошл|последн)\w+ ответ\w*"
    r"|onceki (?:cevab|cevap|yanit)\w*|jawaban(?:mu|nya)? (?:sebelumnya|tadi|terakhir)\b"
    r")|(?:上一个|上个|之前的?|前面的?|刚才的?|上面的?)(?:回答|回复|答案|版本)"
    r"|(?:前の|先ほどの|さっきの|直前の)(?:回答|答え|返事|返答)"
    r"|(?:이전|앞선|방금|위) ?(?:의 )?(?:답변|대답|응답)"
    r"|(?:[اأإ]جابتك|ردك|جوابك) (?:السابق|ال[اأ]خير)|पिछल[ेा] (?:जवाब|उत्तर)"
)
"""The reply before, by its name."""


def beginning(message: str) -> str:
    """Return the beginning of a message, folded: what the other functions read."""
    return fold(cut(message)[:BEGINNING]).strip()


def wants(folded: str) -> bool:
    """Whether a message names the work that it wants."""
    return any(each.search(folded) for each in (_REQUEST, _WORK_ALONE, _REQUEST_LAST))


def names_piece(folded: str) -> bool:
    """Whether a message names a piece of writing that is not there yet."""
    return _PIECE.search(folded) is not None


def asks(folded: str) -> bool:
    """Whether there is a question at the beginning of a message, with its mark or without."""
    patterns = (_QUESTION_MARK, _QUESTION, _QUESTION_LATER, _QUESTION_ANYWHERE)
    return any(each.search(folded) for each in patterns)


def of_persons(folded: str) -> bool:
    """Whether a message is about the one who writes, the one addressed, or him and her."""
    return _PERSONS.search(folded) is not None


def of_reply(folded: str) -> bool:
    """Whether a message names the reply before: it wants that otherwise, or more of it."""
    return _OF_REPLY.search(folded) is not None


def is_brief(folded: str) -> bool:
    """Whether a message is hardly more than a name: some six words, or some fifteen signs of a
    script whose words are signs."""
    return len(folded.encode("utf-8", "surrogatepass")) <= BRIEF


def asks_back(reply: str) -> bool:
    """Whether a reply ends with a question, save for a smile or a gesture behind it."""
    return _ASKS_BACK.search(reply[-80:].rstrip()) is not None
