"""The cure for a misspelt word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MAX_CANDIDATES = 2_000
MAX_WORD = 200
"""Longer words are no misspelling; comparing them would take a while."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "float"?`, or nothing where no known word is near."""
    if len(word) > MAX_WORD:
        return ""
    candidates = [k for k, _ in zip(known, range(MAX_CANDIDATES), strict=False)]
    near = get_close_matches(word, candidates, n=1, cutoff=0.6)
    if not near:
        lower = {k.lower(): k for k in candidates}
        near = [lower[word.lower()]] if word.lower() in lower else []
    return f'did you mean "{near[0]}"?' if near else ""
