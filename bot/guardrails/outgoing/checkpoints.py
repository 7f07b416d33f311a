"""Where a draft is judged while it is written: places that depend on the draft alone.

Were it judged wherever a piece of it happens to end, the same draft would be blocked or not by
how the host cut it.
"""

from __future__ import annotations

import re

APART = 320
"""Characters from one checkpoint to the next, at least; no pattern is longer."""
LONGEST = 160
"""Characters beyond that in which a sentence has to end; else the draft is judged at a space."""

SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)*_]*+\s|[。！？]+[」』）]?|\n")


def next_checkpoint(draft: str, after: int) -> int | None:
    """Return where the draft is judged next; None while too little of it is written.

    What is written later changes no answer.
    """
    begins = after + APART
    most = begins + LONGEST
    ends = SENTENCE_END.search(draft, begins, most)
    if ends is not None and (ends.end() < len(draft) or ends.end() == most):
        return ends.end()
    if len(draft) <= most:
        return None
    return max(draft.rfind(" ", begins, most) + 1, begins) if " " in draft[begins:most] else most
