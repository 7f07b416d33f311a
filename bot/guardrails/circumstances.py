"""What a message says of how things stand, beside what is asked and how it feels.

None of it calls for anything alone; it tells how to take what a head hears over the turns of a
talk (`leaning.py`). Who adds "forget it" or "don't tell mum" to something faint meant it; who has
an exam tomorrow is strained, and who has just passed it is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.guardrails.expressions import matches
from bot.guardrails.telling import LONG_AGO, REAL, STILL

TAKEN_BACK = (
    r"\bnever ?mind\b|\bnvm\b|\b(?:forget|ignore|scratch) (?:that|it|me|i said"
    r"|what i (?:just )?said)\b|\bpretend i (?:didn'?t|never)|\b(?:dumb|stupid"
    r"|weird) thing to say|\bshouldn'?t have (?:said|told)|\b(?:don'?t|do not|can'?t"
    r"|never) tell (?:any|my|mu?m|mom|dad|her|him|them|the|no)|\bmake (?:it|this) a (?:big deal"
    r"|thing)|\bour secret\b|\bkeep (?:it|this) (?:a secret|between)|\b(?:nobody|no ?one) (?:can"
    r"|must|should) know\b|\bolvida(?:lo|te)\b|\bda igual\b|\bdejalo\b"
    r"|\bno (?:se )?l[oe] (?:digas|cuentes)\b|\besquece\b|\bdeixa (?:quieto|pra la)\b"
    r"|\bnao (?:conta|conte|fala|fale) (?:pra|para|com|isso)\b|\blaisse tomber\b|\boublie\b"
    r"|\b(?:dis|parle)\w*(?: rien| pas| en)? a (?:personne|ma mere|mes parents)|\bpeu importe\b"
    r"|\bvergiss (?:es|das)\b|^egal\b|\bsags? (?:es )?(?:bitte )?(?:niemand|keine[mr]|mama"
    r"|nicht)|\bnicht weiter ?sagen|\bunter uns\b|\blascia (?:stare|perdere)\b"
    r"|\bnon (?:lo )?dir(?:e|lo)\b|\bvabbe\b|\blaat maar\b|\bvergeet het\b"
    r"|\bniet (?:door)?vertellen|\b(?:zeg|vertel) (?:het )?(?:tegen |aan )?(?:niemand|mama|niet)"
    r"|\bniewazne\b|\bzapomnij\b|\bnie mow\w* (?:o tym )?(?:nikomu|mamie|nic)|\bnikomu nie mow"
    r"|なんでもない|忘れて|気にしないで|言わないで|内緒|秘密(?:だよ|ね|に)|됐어|잊어|비밀(?:이"
    r"|임|로)|말하지 ?(?:마|말)|신경 ?쓰지 ?마|算了|[当當]我[没沒][说說]|(?:别|不要|別)(?:告诉"
    r"|告訴|跟)|保密|किसी को (?:मत|नहीं) बता|मत बता|छोड़ो|भूल जाओ|जाने दो|لا ت(?:خبر|قول|حكي"
    r"|علم)|انسى|انسي|بيننا|ما عليك|забудь|неважно|никому не говори|не говори (?:маме|никому)"
    r"|\bbos ?ver\b|\bkimseye soyleme"
)
"""The person takes back what they said just before, or asks to keep it secret."""
HALF_MEANT = (
    r"\b(?:kidding|joking|jk)\b.{0,12}\b(?:mostly|kinda|sort of|half|partly|maybe)\b|\b(?:mostly"
    r"|half|kinda|only partly)[ -](?:kidding|joking)|\b(?:broma|brincadeira|brincando|blague"
    r"|rigole|plaisante|spass|witz|scherz\w*|grapje|zart\w*)\b.{0,14}\b(?:mas o menos"
    r"|mais ou menos|piu o meno|casi|quase|presque|quasi|fast|bijna|prawie|medio|meio|a moitie"
    r"|halb|half|meta|troche)\b|半分(?:冗談|本気)|冗談.{0,6}(?:半分|たぶん)|농담.{0,8}반"
    r"|半开玩笑|开玩笑.{0,6}一半"
)
"""A jest that the person says is only partly one."""
GONE_WELL = (
    r"\b(?:i feel|feeling|feel) (?:so |much |a lot |way |a bit |already |human )*(?:better"
    r"|again)\b|\bproud of (?:me|myself|us)\b|\bso (?:proud|relieved|excited)\b|\bgot the job\b"
    r"|\b(?:yay+|woo+(?:hoo+)?|hooray|let'?s go+|guess who|congrat\w*|celebrat\w*)\b|\b(?:i"
    r"|we) (?:passed|made it|got in|beat)\b|\bwe won\b|\bth(?:an)?(?:ks?|x) for listening\b"
    r"|\b(?:me siento|ya estoy|mucho) mejor\b|\baprobe\b|\bfelicidades\b|\bque alivio\b"
    r"|\bpassei\b|\bca va mieux\b|\bj'ai reussi\b|\b(?:schon|viel|wieder) besser\b"
    r"|\bbestanden\b|\berleichtert\b|\b(?:sto|va|sento) (?:molto )?meglio\b|\bsuperato\b"
    r"|\bpromoss[oa]\b|\bgehaald\b|\bopgelucht\b"
    r"|\bce l'ho fatta\b|\b(?:di gioia|de alegria|de joie|vor freude|of joy)\b"
    r"|\bzdal[ae]m\b|\budalo sie\b|[🎉🥳🎊🎂🏆💪🙌]"
    r"|!{3,}|合格|受かった|倒した|勝った|安心し|합격|이겼|깼어|다행|通过了|考上|赢了|太好了"
    r"|शुक्र है|पास हो|अच्छा गया|الحمد لله|نجحت|сдал[аи ]"
)
"""Good news, relief, thanks for having been heard."""
STRAIN = (
    r"\b(?:my (?:\w+ )?(?:cat|dog|hamster|rabbit|parrot|horse|nan|gran\w*) (?:died|passed"
    r"|is gone)|miss my (?:\w+ )?(?:cat|dog|hamster|rabbit|parrot|horse|nan|gran\w*)|exams?"
    r"|finals|final exam|\w+ final (?:tmrw|tomorrow)|midterms?|quiz\w*|homework|deadline|thesis"
    r"|dissertation|essay|lecture|resit|orgo|calculus|boss fight|(?:last|final|that) boss|raids?"
    r"|ranked|dungeon|healer|wiped|speedrun|twins|newborn|toddlers?|teething|night feeds?"
    r"|moved to (?:a new|another) (?:city|town|country)|new (?:city|job|school)|broke up with me"
    r"|we broke up|(?:got|was) dumped|ghosted me|landlord|my shift|overtime|driving test"
    r"|job interview|marathon|prufung\w*|klausur\w*|examens?|partiels?|esami?|examenes|provas?"
    r"|vestibular|tentamens?|egzamin\w*|kolokwium|sesja)\b|テスト|試験|レポート|夜泣き|部活|수능"
    r"|시험|과제|야근|육아|考试|期末|论文|加班|带娃|परीक्षा|एग्ज़?ाम|امتحان|اختبار|\b(?:vet"
    r"|veterinar\w*|tierarzt\w*|tierheim|dierenarts|put (?:him|her|it) (?:down|to sleep)"
    r"|inslapen|eingeschlafert|hospice|palliativ\w*|chemo\w*|chimio\w*|quimio\w*|chemioterap\w*"
    r"|dementia|alzheimer\w*|demenz|demencia|demence|demenza|dementie|hospicjum|oncolog\w*"
    r"|floor \d+|relic|reroll|respawn|checkpoint|permadeath|roguelike|elo|rankeada|speedrun"
    r"|orale|interrogazione|concours|abitur|matura|eindexamen|selectividad|oposicion\w*|enem"
    r"|tesi|masterarbeit|bachelorarbeit|doktorarbeit|scriptie|magisterk\w*|viva voce|bar exam)\b"
    r"|ボス|レベル上げ|周回|受験|卒論|入試|獣医|認知症|介護|抗がん|레이드|던전|랭크|캐릭"
    r"|모의고사|동물병원|치매|간병|항암|考研|高考|真题|副本|排位|上分|兽医|宠物医院|化疗|痴呆"
    r"|बोर्ड|पेपर|गेम|तोता बीमार|रैंक|पशु|الكيماوي|الزهايمر|البيطري|لعبة"
)
"""What wears people out every day: tests, games, small children, a move, a break-up, illness in the
family, an animal or a grandmother who died."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How things stand, as one message tells."""

    past: bool = False
    """A danger is told of that is over."""
    now: bool = False
    """Something is said to be so today: "again", "tonight", "still"."""
    aside: bool = False
    """The person speaks for themselves, out of a story if there is one."""
    strain: bool = False
    taken_back: bool = False
    half_meant: bool = False
    gone_well: bool = False


NOTHING_SAID = Circumstances()


def circumstances(plain: str) -> Circumstances:
    """Return how things stand by a normalised text."""
    raw = plain.encode()
    now = STILL.search(plain) is not None
    return Circumstances(
        past=not now and LONG_AGO.search(plain) is not None,
        now=now,
        aside=REAL.search(plain) is not None,
        strain=matches(STRAIN, raw),
        taken_back=matches(TAKEN_BACK, raw),
        half_meant=matches(HALF_MEANT, raw),
        gone_well=matches(GONE_WELL, raw),
    )
