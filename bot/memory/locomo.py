"""The LoCoMo benchmark's file as questions and passages; for evaluation only.

Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents", ACL 2024.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.errors import InputRejected
from bot.memory.retrieval import Passage

CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop", 5: "adversarial"}
LARGEST_FILE: Final = 64 * 1024 * 1024
CONTEXT: Final = 300
"""Characters of the preceding turn that become part of a turn's key."""

_EVIDENCE = re.compile(r"D(\d+):(\d+)")
_SESSION = re.compile(r"session_(\d+)")
_DATE = re.compile(r"\bon (.+)$")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the ids of the turns that answer it."""

    text: str
    category: str
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Case:
    """A body of turns and what is asked about it."""

    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]


def read_cases(path: Path, *, view: str = "all", facts: bool = False) -> list[Case]:
    """Return the cases of a LoCoMo file.

    Args:
        view: `all` asks about both speakers' turns. `user` asks in the first person about one
            person's own turns, the other's preceding turn being context.
        facts: turns carry the file's own observations that cite them.

    Raises:
        InputRejected: the file can't be read, or is none of LoCoMo.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputRejected([f"{path.name} is larger than {LARGEST_FILE} bytes"])
        samples = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputRejected([f"{path}: can't be read as JSON"]) from error
    try:
        conversations = [_conversation(sample, facts) for sample in samples]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputRejected(
            [f"{path}: this is no LoCoMo file; it holds a list of conversations with `qa`"]
        ) from error
    if view == "all":
        return conversations
    return [own for case in conversations for own in _own_views(case)]


def _conversation(sample: Mapping[str, Any], with_facts: bool) -> Case:
    told = sample["conversation"]
    facts = _facts(sample.get("observation", {})) if with_facts else {}
    numbers = sorted(int(m[1]) for key in told if (m := _SESSION.fullmatch(key)))
    passages: list[Passage] = []
    for number in numbers:
        date = _DATE.search(str(told.get(f"session_{number}_date_time", "")))
        before = ""
        for turn in told[f"session_{number}"]:
            text = _text(turn)
            passages.append(
                Passage(
                    id=str(turn["dia_id"]),
                    text=text,
                    group=str(number),
                    speaker=str(turn["speaker"]),
                    when=date[1] if date else "",
                    context=before,
                    facts=tuple(facts.get(str(turn["dia_id"]), ())),
                )
            )
            before = f"{turn['speaker']}: {text}"[-CONTEXT:]
    known = {passage.id for passage in passages}
    questions = []
    for asked in sample["qa"]:
        evidence = frozenset(_ids(asked.get("evidence", ()))) & known
        if evidence:
            category = CATEGORIES[int(asked["category"])]
            questions.append(Question(str(asked["question"]), category, evidence))
    return Case(tuple(passages), tuple(questions))


def _text(turn: Mapping[str, Any]) -> str:
    """Return what was said; a shared picture counts by its caption."""
    text = str(turn.get("text", ""))
    caption = turn.get("blip_caption")
    return f"{text} [{caption}]" if caption else text


def _facts(observation: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for by_speaker in observation.values():
        for pairs in by_speaker.values():
            for fact, cited in pairs:
                for ident in _ids(cited if isinstance(cited, list) else [cited]):
                    found.setdefault(ident, []).append(str(fact))
    return found


def _ids(cited: Sequence[Any]) -> list[str]:
    """Return turn ids; the file has some that were written together, such as `D8:6; D9:17`."""
    return [f"D{m[1]}:{m[2]}" for each in cited for m in _EVIDENCE.finditer(str(each))]


def _own_views(case: Case) -> list[Case]:
    """Return, for each speaker, their own turns and the questions about them."""
    speakers = list(dict.fromkeys(passage.speaker for passage in case.passages))
    views = []
    for speaker in speakers:
        own = tuple(
            Passage(p.id, p.text, p.group, "", p.when, p.context, p.facts)
            for p in case.passages
            if p.speaker == speaker
        )
        ids = {passage.id for passage in own}
        questions = tuple(
            Question(first_person(q.text, speaker), q.category, q.evidence & ids)
            for q in case.questions
            if q.category != CATEGORIES[5]
            and q.evidence & ids
            and [name for name in speakers if name in q.text] == [speaker]
        )
        views.append(Case(own, questions))
    return views


def first_person(question: str, name: str) -> str:
    """Return a question about `name` as that person would ask it."""
    text = re.sub(rf"\b{re.escape(name)}['\u2019]s?(?!\w)", "my", question)
    text = re.sub(rf"\b{re.escape(name)}\b", "I", text)
    for third, first in (("does I", "do I"), ("is I", "am I"), ("has I", "have I")):
        text = re.sub(rf"\b{third}\b", first, text, flags=re.IGNORECASE)
    return text[:1].upper() + text[1:]
