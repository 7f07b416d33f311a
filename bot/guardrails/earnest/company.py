"""The company that dreadful words keep: games, works of fiction, figures of speech, history,
ordinary strain.

"How do I rob a bank in Payday" and "steal the show" hold the words of a crime and ask for none.
XSTest (Röttger et al. 2024) names the kinds of such questions.
"""

from __future__ import annotations

from bot.guardrails.earnest.signs import sign

GAMES = sign("games")
FIGURES = sign("figures_of_speech")
ENDURED = sign("endured")
TOLD = sign("told")
STUDIED = sign("studied")
ORDERLY = sign("harmless_orders")
STORY = sign("story")
MEANT = sign("meant")
SUBSTANCES = sign("substances")
MANUAL = sign("manual")
PASTIME = sign("pastime")


def harmless_company(plain: str, *, crime: bool = False) -> bool:
    """Whether a normalised text uses words of harm for play, or of history.

    `crime`: nothing worse than a crime is asked about, so that a story excuses it, too.
    """
    if MEANT.search(plain):
        return False
    if GAMES.search(plain) is not None:
        return SUBSTANCES.search(plain) is None
    told = TOLD.search(plain) is not None or (crime and STORY.search(plain) is not None)
    return told and MANUAL.search(plain) is None


def pretext(plain: str) -> bool:
    """Whether a normalised text names a game or a story, and means something else."""
    named = GAMES.search(plain) or STORY.search(plain)
    return named is not None and MEANT.search(plain) is not None


def without_figures(plain: str) -> str:
    """Return a normalised text without its figures of speech, and without what others will do to
    the speaker; the rest may still ask for harm."""
    return ENDURED.sub(" ", FIGURES.sub(" ", plain))
