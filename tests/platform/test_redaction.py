"""A secret comes out of nothing that is written down, whatever a server made of it before it repeated it."""

import base64
import html
import json
import quopri
import re
import string
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erphub.platform import logging, redaction
from erphub.platform.disguises import HIDDEN
from erphub.platform.errors import ErpRefused, HubError, Invalid
from erphub.platform.problem_documents import as_problem
from erphub.platform.tasks import TaskFailed, Tasks

type Encoding = Callable[[str], str]


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _numeric(form: str) -> Encoding:
    return lambda text: "".join(form.format(ord(one)) for one in text)


def _named(text: str) -> str:
    from html.entities import codepoint2name

    return "".join(f"&{codepoint2name[ord(one)]};" if ord(one) in codepoint2name else one for one in text)


def _utf16_escapes(text: str) -> str:
    raw = text.encode("utf-16-be")
    return "".join(f"\\u{raw[at : at + 2].hex()}" for at in range(0, len(raw), 2))


ENCODINGS: Mapping[str, Encoding] = {
    "plain": str,
    "upper case": str.upper,
    "base64": lambda text: base64.b64encode(_raw(text)).decode(),
    "base64 without padding": lambda text: base64.b64encode(_raw(text)).decode().rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(_raw(text)).decode(),
    "base64 in lines": lambda text: base64.encodebytes(_raw(text) * 12).decode(),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "base64 of UTF-16, the other order": lambda text: base64.b64encode(text.encode("utf-16-be")).decode(),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(_raw(text))).decode(),
    "base64 of JSON": lambda text: base64.b64encode(json.dumps({"password": text}).encode()).decode(),
    "hex": lambda text: _raw(text).hex(),
    "HEX": lambda text: _raw(text).hex().upper(),
    "hex with colons": lambda text: _raw(text).hex(":"),
    "HEX with hyphens": lambda text: _raw(text).hex("-").upper(),
    "hex with 0x each": lambda text: ", ".join(f"0x{one:02X}" for one in _raw(text)),
    "hex behind 0x": lambda text: f"0x{_raw(text).hex()}",
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex(),
    "UTF-16 a byte at a time": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-16 of base64": lambda text: base64.b64encode(_raw(text)).decode().encode("utf-16-be").decode("latin-1"),
    "hex of UTF-16 of base64": lambda text: base64.b64encode(_raw(text)).decode().encode("utf-16-le").hex(),
    "UTF-16 of hex": lambda text: _raw(text).hex().encode("utf-16-le").decode("latin-1"),
    "UTF-8 a byte at a time": lambda text: _raw(text).decode("latin-1"),
    "numbers": lambda text: json.dumps(list(_raw(text))),
    "percent": lambda text: quote(text, safe=""),
    "percent in lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "percent, each byte": lambda text: "".join(f"%{one:02x}" for one in _raw(text)),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "HTML": html.escape,
    "HTML by name": _named,
    "HTML decimal": _numeric("&#{};"),
    "HTML hex": _numeric("&#x{:x};"),
    "HTML HEX with zeros": _numeric("&#X{:06X};"),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in Unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, each letter": _utf16_escapes,
    "JSON EACH LETTER": lambda text: _utf16_escapes(text).upper().replace("\\U", "\\u"),
    "JSON twice": lambda text: json.dumps(json.dumps(text)),
    "HTML of JSON": lambda text: html.escape(json.dumps(text)),
    "Python": lambda text: repr(text)[1:-1],
    "Python's bytes": lambda text: repr(_raw(text))[2:-1],
    "quoted-printable": lambda text: quopri.encodestring(_raw(text), quotetabs=True).decode(),
    "quotes doubled": lambda text: text.replace("'", "''").replace('"', '""'),
}
"""By which a server may repeat what it was given."""

# What HIDDEN itself says cannot be told from what is hidden.
SECRETS = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=24)
    | st.text(string.ascii_letters + string.digits + "'\"\\<>&%+=/;: ", min_size=4, max_size=40)
    | st.sampled_from(
        ["abcd", "p'w\"d", "Pässwörd-1", "пароль", "密码密码", "🔑🔑🔑🔑", "a%41&amp;b\\u0041", "x y+z=="]
    )
).filter(lambda secret: len(secret.strip()) >= 4 and secret.casefold() not in HIDDEN and "\\" not in secret[-1:])

AROUND = ("", "a", "ab", "user:", "x\u00e5", "Authorization: Basic ", '{"password": "', "=")


def spellings(text: str) -> set[str]:
    """How the text may be read out of what was written: a reader who tries each encoding by itself."""
    return {encode(text) for encode in ENCODINGS.values()}


@pytest.mark.parametrize("name", ENCODINGS)
@given(secret=SECRETS, before=st.sampled_from(AROUND), after=st.sampled_from(("", "b", "bc", '"}', " is old.")))
@settings(max_examples=15, deadline=None)
def test_what_a_server_repeats_is_hidden_in_every_encoding(name: str, secret: str, before: str, after: str) -> None:
    redaction.reset()
    redaction.redact([secret])
    if name == "upper case" and len(secret.upper()) != len(secret):
        return  # ß is SS, and no server's
    encode = ENCODINGS[name]
    said = f"Rejected: {before}{encode(secret)}{after}"
    shown = redaction.clean(said)
    assert encode(secret) not in shown
    assert HIDDEN in shown
    assert shown.startswith("Rejected"[:5])


@pytest.mark.parametrize("name", ["base64", "base64 for URLs", "base64 without padding", "base64 of UTF-16", "hex"])
@given(secret=SECRETS, before=st.text(max_size=7), after=st.text(max_size=7))
@settings(max_examples=60, deadline=None)
def test_a_secret_is_hidden_at_each_place_inside_what_was_encoded(
    name: str, secret: str, before: str, after: str
) -> None:
    """`user:password` of a Basic header is one of the three alignments; nothing of the secret's own is left."""
    redaction.reset()
    redaction.redact([secret])
    code = "utf-16-le" if "UTF-16" in name else "utf-8"
    if code == "utf-16-le":
        before, after = before.encode("ascii", "ignore").decode(), after.encode("ascii", "ignore").decode()
    encoded = ENCODINGS[name](f"{before}{secret}{after}")
    shown = redaction.clean(f"Rejected: {encoded}.")
    assert HIDDEN in shown
    left = shown.removeprefix("Rejected: ").split(HIDDEN)
    for piece in left:
        for phase in range(4):
            letters = re.sub(r"[^A-Za-z0-9+/]", "", piece.replace("-", "+").replace("_", "/"))[phase:]
            letters = letters[: len(letters) - (len(letters) % 4 == 1)]
            assert secret.encode(code) not in base64.b64decode(letters + "=" * (-len(letters) % 4))


@given(secret=SECRETS, name=st.sampled_from(sorted(ENCODINGS)), place=st.sampled_from(["detail", "fact", "field"]))
@settings(max_examples=100, deadline=None)
def test_no_error_says_a_secret_nor_does_the_problem_made_of_it(secret: str, name: str, place: str) -> None:
    redaction.reset()
    redaction.redact([secret])
    said = f"Refused, {ENCODINGS[name](secret)} is old."
    error: HubError
    match place:
        case "detail":
            error = ErpRefused(said)
        case "fact":
            error = ErpRefused("Refused.", erp_message=said, problem={"code": "x", "detail": [said]})
        case _:
            error = Invalid.field("/server", "bad_form", said)
    problem = as_problem(error)
    assert said not in str(error)
    assert HIDDEN in json.dumps(problem)
    assert redaction.clean(problem) == problem


def test_neither_a_log_line_nor_a_failed_task_says_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    secret = 'It\'s "odd" & å-1'

    def task(_: Mapping[str, object]) -> Mapping[str, object]:
        redaction.redact([secret])
        raise ErpRefused(f"The server said {base64.b64encode(b'me:' + secret.encode()).decode()}.") from ValueError(
            f"b'{secret.encode().hex()}' and {html.escape(secret)}"
        )

    with pytest.raises(TaskFailed) as failed:
        Tasks({"it": task})({"task": "it"}, None)
    logging.logger().warning("again", extra={"answer": {"deep": [quote(secret)]}})
    written = str(failed.value) + capsys.readouterr().out
    for form in (secret, secret.encode().hex(), html.escape(secret), quote(secret), json.dumps(secret)[1:-1]):
        assert form not in written
    assert base64.b64encode(secret.encode()).decode()[4:-4] not in written
    assert HIDDEN in str(failed.value)


SHORT = {
    "as the whole text": ("ab", "ab", HIDDEN),
    "as a word": ("ab1", "Login with ab1 refused.", f"Login with {HIDDEN} refused."),
    "in quotes": ("7", "Login with '7' refused, error 17.", f"Login with '{HIDDEN}' refused, error 17."),
    "not inside words": ("ab", "cabbage, ab_c, abc", "cabbage, ab_c, abc"),
    "not one letter, which is a word": ("a", "a server", "a server"),
    "in base64, as a word": ("ab1", "credential YWIx is old", f"credential {HIDDEN} is old"),
    "beside the user": ("ab1", "Basic c2E6YWIx", f"Basic {HIDDEN}"),
    "in hex, as a word": ("ab1", "credential 616231 is old", f"credential {HIDDEN} is old"),
    "escaped": ("a&b", "credential a&amp;b is old", f"credential {HIDDEN} is old"),
}


@pytest.mark.parametrize(("secret", "said", "shown"), SHORT.values(), ids=SHORT)
def test_a_short_secret_is_hidden_where_it_stands_alone(secret: str, said: str, shown: str) -> None:
    redaction.redact([secret])
    assert redaction.clean(said) == shown


@given(said=st.text(max_size=200), secrets=st.lists(st.text(min_size=9, max_size=30), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_holds_no_secret_stays_as_it_is(said: str, secrets: list[str]) -> None:
    """A text drawn by itself does not hold nine characters of another, but for those that are nothing but repeated."""
    redaction.reset()
    redaction.redact([f"{secret}-Kx7" for secret in secrets])
    assert redaction.clean(said) == said


def test_ordinary_words_are_left_alone() -> None:
    redaction.redact(["Hunter2-Hunter2", "abcd", "tøy4"])
    said = (
        "The database F0001 on db01.example.com\\VISMA is not accessible (18456, state 38): deadbeef-cafe-4711 at"
        " 2026-11-28T04:05:51+00:00 & 100% of <rows> in C:\\data\\abc, see https://example.com/a?b=c%20d#e."
    )
    assert redaction.clean(said) == said


def test_two_secrets_in_one_text_are_both_hidden_also_where_one_is_in_the_other() -> None:
    redaction.redact(["Hunter", "Hunter2-long"])
    assert redaction.clean("Hunter2-long, Hunter, SHVudGVy") == f"{HIDDEN}, {HIDDEN}, {HIDDEN}"


def test_a_long_text_is_searched_in_reasonable_time_and_one_that_is_made_to_last_is_hidden_whole() -> None:
    """In time of this process alone: others may have the machine."""
    redaction.redact(["Hunter2-Hunter2", "x" * 2000])
    began = time.process_time()
    assert redaction.clean("The login failed for user sa. " * 1000).count("sa") == 1000
    for unfolds in ("%25%2541&amp;amp;\\u0041==3D", base64.b64encode(b"%41" * 999).decode()):
        tangled = unfolds * (100_000 // len(unfolds))
        assert redaction.clean(tangled) in (tangled, HIDDEN)
    assert time.process_time() - began < 30
