"""Secrets found again however they are spelled, so that they can be hidden: plain, escaped, encoded, several at once.

Nobody can list what a server makes of a password before it repeats it. So it is the text that is taken apart: each way
of spelling that it may hold is undone, again and again, and the secrets are looked for in what comes out, as bytes of
UTF-8, UTF-16 and the one-byte code pages, whatever the case. What is hidden is the part of the text they came from.

Shorter secrets than `SHORTEST` are hidden only where they stand alone, as a word or a value: with each `ab` hidden,
what is left of `cabbage` tells more, and destroys more. One character is hidden only in quotes or as the whole text.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from erphub.platform import spellings
from erphub.platform.spellings import View

HIDDEN = "[hidden]"
SHORTEST = 4
"""So many characters a secret needs to be looked for inside other words."""
_DEEPEST = 3
"""So many spellings inside each other are undone: the JSON of a page of HTML that quotes a base64, for one."""
_MOST = 1_000_000
"""So many bytes (and 12 for each of the text) are looked through; a text that makes more of itself is hidden whole."""


@dataclass(frozen=True)
class Disguises:
    """Secrets that are known, and what to look for."""

    long: Mapping[str, frozenset[bytes]]
    short: frozenset[str] = frozenset()

    @classmethod
    def none(cls) -> "Disguises":
        """Nothing is known yet."""
        return cls({})

    def __bool__(self) -> bool:
        return bool(self.long or self.short)

    def known(self, values: Iterable[str]) -> "Disguises":
        """These secrets too."""
        new = {value for value in values if value} - self.long.keys() - self.short
        if not new:
            return self
        short = {value for value in new if len(value.strip()) < SHORTEST}
        return Disguises({**self.long, **{value: _patterns(value) for value in new - short}}, self.short | short)

    def hide(self, text: str) -> str:
        """The text with what spells a secret replaced; the same text when nothing does."""
        if text in self.long or text in self.short:
            return HIDDEN
        spans = list(_short(text, self.short)) if self.short else []
        patterns = frozenset[bytes]().union(*self.long.values())
        shortest = min(map(len, patterns), default=0)
        # A character is four bytes at most, and no spelling is shorter than what it spells.
        if patterns and len(text) * 4 >= shortest:
            found = _search(text, patterns, shortest, min(map(len, self.long)))
            if found is None:
                return HIDDEN
            spans += found
        return _without(text, spans) if spans else text


def _patterns(secret: str) -> frozenset[bytes]:
    """The secret as bytes, in lower case."""
    forms = {secret, secret.upper(), secret.lower(), " ".join(secret.split()) or secret}
    forms |= {unicodedata.normalize(form, secret) for form in ("NFC", "NFD")}
    if not secret.isascii() and sum(map(str.isascii, secret)) >= SHORTEST:
        # What cannot be said in a code page is replaced, once for each character or for each of its bytes.
        forms |= {secret.encode("ascii", "replace").decode()}
        raw = secret.encode("utf-8", "surrogatepass")
        forms |= {raw.decode("ascii", "replace"), "".join(one if one.isascii() else "\ufffd" for one in secret)}
    found = {form.encode(code, "surrogatepass") for form in forms for code in ("utf-8", "utf-16-le", "utf-16-be")}
    for form in forms:
        for page in ("latin-1", "cp1252"):
            try:
                found.add(form.encode(page))
            except UnicodeEncodeError:
                continue
    return frozenset(one.lower() for one in found if len(one) >= SHORTEST)


def _search(text: str, patterns: frozenset[bytes], shortest: int, letters: int) -> list[tuple[int, int]] | None:
    """Where the patterns (of so many bytes, from so many letters at least) are in the text, however spelled; None when
    it cannot be looked through in time."""
    spans: list[tuple[int, int]] = []
    left, seen = _MOST + 12 * len(text), set[bytes]()
    views: list[View] = list(spellings.plain(text))
    for depth in range(_DEEPEST + 1):
        deeper: list[View] = []
        for view in views:
            if view.data in seen:
                continue
            seen.add(view.data)
            left -= len(view.data)
            if left < 0:
                return None
            spans += (view.origin(*span) for span in _places(view.data.lower(), patterns))
            if depth < _DEEPEST and spellings.holds_text(view.data, letters):
                deeper += spellings.undone(view, shortest)
        views = deeper
    return spans


def _places(data: bytes, patterns: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    for pattern in patterns:
        at = data.find(pattern)
        while at >= 0:
            yield at, at + len(pattern)
            at = data.find(pattern, at + 1)


def _short(text: str, secrets: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where short secrets stand alone."""
    for view in spellings.plain(text):
        for seen in (view, *spellings.unescaped(view)):
            for secret in secrets:
                yield from (seen.origin(*span) for span in _alone(seen.data, secret))
    for start, end, meant in spellings.tokens(text):
        if any(len(secret) > 1 and any(_alone(meant, secret)) for secret in secrets):
            yield start, end


def _alone(data: bytes, secret: str) -> Iterator[tuple[int, int]]:
    wanted = secret.encode("utf-8", "surrogatepass")
    for at, end in _places(data, [wanted]):
        before, after = data[at - 1 : at] if at else b"", data[end : end + 1]
        if len(secret) == 1:
            if before == after and before in (b"'", b'"', b"`"):
                yield at, end
        elif not (_is_word(before) or _is_word(after)):
            yield at, end


def _is_word(one: bytes) -> bool:
    return bool(one) and (one.isalnum() or one == b"_" or one >= b"\x80")


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start >= done and (start > done or not pieces):
            pieces += [text[done:start], HIDDEN]
        done = max(done, end)
    return "".join([*pieces, text[done:]])
