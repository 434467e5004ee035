"""Phones and e-mail domains in the form in which they are compared."""

import re
from collections.abc import Collection, Iterable

import phonenumbers

PROVIDERS = frozenset(
    {
        *("gmail.com", "googlemail.com", "hotmail.com", "hotmail.no", "hotmail.se", "hotmail.dk", "hotmail.fi"),
        *("outlook.com", "outlook.dk", "live.com", "live.no", "live.se", "live.dk", "live.fi", "msn.com"),
        *("yahoo.com", "yahoo.no", "yahoo.se", "yahoo.dk", "yahoo.fi", "ymail.com", "icloud.com", "me.com", "mac.com"),
        *("aol.com", "gmx.com", "gmx.net", "gmx.de", "web.de", "mail.com", "mail.ru", "proton.me", "protonmail.com"),
        *("tutanota.com", "fastmail.com", "zoho.com", "hey.com", "pm.me", "yandex.com"),
        *("online.no", "broadpark.no", "getmail.no", "frisurf.no", "c2i.net", "start.no", "lyse.net", "altibox.no"),
        *("bluezone.no", "tele2.no", "ebnett.no", "haugnett.no", "loqal.no", "nokab.no", "telenor.no", "nextgentel.no"),
        *("telia.com", "bredband.net", "spray.se", "tele2.se", "comhem.se", "swipnet.se", "passagen.se", "home.se"),
        *("bahnhof.se", "glocalnet.net", "bredbandsbolaget.se", "algonet.se", "ownit.nu", "brevet.nu"),
        *("mail.dk", "stofanet.dk", "tdcadsl.dk", "jubii.dk", "ofir.dk", "post.tele.dk", "youmail.dk", "os.dk"),
        *("kolumbus.fi", "luukku.com", "elisanet.fi", "saunalahti.fi", "welho.com", "pp.inet.fi", "suomi24.fi"),
    }
)
"""Whose domains say nothing of the company: providers of mail and of lines."""
_BETWEEN = re.compile(r"[/,;|]|\beller\b|\bor\b")
_DIGIT = re.compile(r"\d")
_SHORTEST_PHONE, _SURELY_PHONE, _LAST = 5, 8, 5
_TRUNK = re.compile(r"\(0\)")
_SECOND_LEVEL = frozenset({"co", "com", "org", "net", "gov", "ac"})


def read_phones(texts: Iterable[str], country: str, asked: Collection[str] | None = None) -> tuple[str, ...]:
    """The valid numbers in E.164. Raises nothing: what is no phone is none. `country` as ISO 3166, else Norway's.

    Given the last digits that are `asked` for (see `last_digits`), others stay digits: reading a number takes longer
    than all the rest of a party, and what nobody asks for agrees with nothing.
    """
    region = country.strip().upper() or "NO"
    found: list[str] = []
    for text in texts:
        for part in _BETWEEN.split(_TRUNK.sub(" ", text)):
            digits = "".join(_DIGIT.findall(part))
            if len(digits) < _SHORTEST_PHONE:
                continue
            if asked is not None and len(digits) >= _SURELY_PHONE and digits[-_LAST:] not in asked:
                found.append(digits)
                continue
            try:
                number = phonenumbers.parse(part, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return tuple(dict.fromkeys(found))


def last_digits(phones: Iterable[str]) -> set[str]:
    """The last digits of numbers in E.164: they are the same however a number is written."""
    return {phone[-_LAST:] for phone in phones}


def read_emails(texts: Iterable[str]) -> tuple[str, ...]:
    """Addresses in small letters."""
    parts = (part.strip().casefold().removeprefix("mailto:") for text in texts for part in re.split(r"[\s,;<>]", text))
    return tuple(dict.fromkeys(part for part in parts if 0 < part.find("@") < len(part) - 3))


def read_domains(emails: Iterable[str], websites: Iterable[str]) -> tuple[str, ...]:
    """Registered domains of addresses and pages, but for providers'."""
    hosts = [address.rpartition("@")[2] for address in emails] + [_host(page) for page in websites]
    domains = (_registered(host) for host in hosts if "." in host)
    return tuple(dict.fromkeys(domain for domain in domains if domain not in PROVIDERS))


def _host(page: str) -> str:
    text = page.strip().casefold()
    return re.split(r"[/?#:]", re.sub(r"^[a-z]+://", "", text))[0].rpartition("@")[2]


def _registered(host: str) -> str:
    """The part of a host that somebody has registered; a provider's host stays whole, so that it is known as one."""
    host = host.strip(".")
    if host in PROVIDERS:
        return host
    labels = host.split(".")
    length = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-length:])
