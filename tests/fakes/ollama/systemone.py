"""`POST /v1/systemone`: typed classification, as servers with it answer.

The field names are those of the official client's `SystemOneRequest` and `SystemOneResponse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes.ollama.catalogue import FakeModel
from tests.fakes.ollama.tokens import tokenize
from tests.fakes.ollama.validate import Refusal

PATH = "/v1/systemone"
CAPABILITY = "systemone"


def systemone_body(
    model: FakeModel, body: Mapping[str, Any], leaning: Mapping[str, float]
) -> dict[str, Any]:
    """Return the answer: `leaning` where it names a choice, and the rest in equal parts.

    Raises:
        Refusal: the model is not made for it, or the question is none.
    """
    if not model.can(CAPABILITY):
        raise Refusal(400, f'"{model.name}" does not support systemone')
    questions = body.get("questions")
    if not isinstance(body.get("state"), str | dict | list) or not isinstance(questions, dict):
        raise Refusal(400, "state and questions are required")
    answers = {name: _answer(question, leaning) for name, question in questions.items()}
    count = len(tokenize(str(body["state"])))
    usage = {"input_tokens": count, "output_tokens": len(answers)}
    return {"model": body["model"], "answers": answers, "usage": usage}


def _answer(question: Any, leaning: Mapping[str, float]) -> dict[str, Any]:
    if not isinstance(question, dict) or question.get("type") != "choice":
        raise Refusal(400, "unknown question type")
    criteria = question.get("criteria")
    if not question.get("instructions") or not isinstance(criteria, dict) or len(criteria) < 2:
        raise Refusal(400, "a choice needs instructions and two criteria or more")
    rest = len(criteria.keys() - leaning.keys())
    left = (1.0 - sum(leaning.values())) / rest if rest else 0.0
    shares = {name: leaning.get(name, left) for name in criteria}
    best = max(shares, key=lambda name: shares[name])
    return {"type": "choice", "choice": best, "probabilities": shares, "confidence": shares[best]}
