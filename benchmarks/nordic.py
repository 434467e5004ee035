"""Companies of the Nordic countries as a CRM and an ERP know them: made up, seeded, with the noise of real registers.

Made to hurt: sister companies share the address, the switchboard and the domain; names are borne by several; some
stand twice in the ERP; some records have no partner at all, half of these are sisters of one that is there. Each rate
stands in `CrmNoise` and `ErpNoise`; what of it came about is counted by `Made`.
"""

import random
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from erphub.links.matching.models import Party


def _words(text: str) -> list[str]:
    return text.split()


COUNTRIES = (("NO", 0.60), ("SE", 0.20), ("DK", 0.12), ("FI", 0.08))
FORMS = {"NO": ("AS", "ASA", "ANS", "ENK"), "SE": ("AB", "HB"), "DK": ("ApS", "A/S"), "FI": ("Oy", "Oyj")}
FIRST = _words(
    "nord sør øst vest sol havn berg dal elv fjell skog sjø strand vik ås lund mark ny gammel stor lille sand stein "
    "jern gull sølv kobber is snø vind storm høst vår morgen kveld måne stjerne ørn falk ulv bjørn rein elg laks torsk "
    "havre rug bjørk gran furu eik lønn rogn hassel mose lyng kløver timian malm blå rød grønn hvit svart klar still "
    "bratt djup trang brei høg låg"
)
SECOND = _words(
    "lund vik heim gård tun bakk moen li haug nes øy holm sund eid vang åker eng myr tjern foss bru port torg sand hus "
    "stad by land dal berg voll rud set sæter skar egg hei mo bø hov vin stø nør støl"
)
TRADES = _words(
    "Bygg Eiendom Transport Regnskap Rør Elektro Maskin Handel Invest Holding Entreprenør Snekkeri Konsult Data Fisk "
    "Mat Bakeri Frisør Bil Marine Energi Renhold Anlegg Design Media Trelast Verksted Hagesenter Catering Logistikk"
)
STREETS = _words(
    "Storgata Kirkegata Skolegata Strandgata Havnegata Stasjonsveien Industriveien Fjordveien Skogveien Parkveien "
    "Bakkegata Torggata Sjøgata Nygata Møllegata Elvegata Ringveien Solveien Åsveien Lundeveien Myrveien Kongensgate"
)
FREE_MAIL = ("gmail.com", "hotmail.com", "outlook.com", "online.no", "telia.com")
TOWNS = 400
STEMS = 4_400
"""Names are drawn from these: few enough for several companies to bear one."""


@dataclass(frozen=True)
class CrmNoise:
    """How often a record of the CRM differs from the company it stands for."""

    number_missing: float = 0.45
    number_of_another: float = 0.015
    number_mistyped: float = 0.01
    number_as_vat: float = 0.12
    name_mistyped: float = 0.08
    name_transliterated: float = 0.06
    name_upper_case: float = 0.05
    name_word_missing: float = 0.04
    name_of_trade: float = 0.04
    """Another name altogether, under which it trades."""
    name_and: float = 0.03
    """`og` for `&`, or the other way."""
    name_department: float = 0.03
    form_missing: float = 0.35
    moved: float = 0.12
    phone_missing: float = 0.30
    phone_other: float = 0.10
    mail_missing: float = 0.25
    mail_free: float = 0.15


@dataclass(frozen=True)
class ErpNoise:
    """How often an actor of the ERP does."""

    number_missing: float = 0.12
    name_mistyped: float = 0.02


@dataclass(frozen=True)
class Size:
    """How many of each are made."""

    actors: int = 50_000
    records: int = 5_000
    without_partner: int = 1_000
    twice: int = 1_500
    """Actors that are a second entry of another."""


@dataclass
class Company:
    """One company as it is, before anybody has written it down."""

    id: int
    stem: str
    trade: str
    form: str
    country: str
    number: str
    phone: str
    domain: str
    street: str
    postcode: str
    city: str

    @property
    def name(self) -> str:
        """With its legal form."""
        return " ".join(part for part in (self.stem, self.trade, self.form) if part)


@dataclass
class Made:
    """Both sides and the truth."""

    records: list[Party] = field(default_factory=list[Party])
    actors: list[Party] = field(default_factory=list[Party])
    truth: dict[str, str] = field(default_factory=dict[str, str])
    """The actor of a record that has one."""
    second: dict[str, str] = field(default_factory=dict[str, str])
    """Actors that are entered a second time, and the key of that entry."""
    noise: Counter[str] = field(default_factory=Counter[str])

    @property
    def shared_names(self) -> int:
        """Names that more than one actor bears."""
        return sum(1 for count in Counter(actor.name for actor in self.actors).values() if count > 1)


class Maker:
    """Makes both sides, the same for the same seed."""

    def __init__(self, seed: int, size: Size | None = None, crm: CrmNoise | None = None) -> None:
        self._random = random.Random(seed)
        self._size = size or Size()
        self._crm, self._erp = crm or CrmNoise(), ErpNoise()
        self._made = Made()
        self._numbers: set[str] = set()
        self._domains: set[str] = set()
        self._next = 0
        self._stems = self._all_stems()
        self._towns = [self._town() for _ in range(TOWNS)]

    def make(self) -> Made:
        """Everything."""
        size, made = self._size, self._made
        singles = size.actors - size.twice
        groups = self._groups(singles)
        companies = [company for group in groups for company in group]
        group_of = {company.id: group for group in groups for company in group}
        self._random.shuffle(companies)
        for place, company in enumerate(companies):
            made.actors.append(self._actor(f"A{place:06}", company))
        places = {company.id: f"A{place:06}" for place, company in enumerate(companies)}
        for place, company in enumerate(self._random.sample(companies, size.twice)):
            key = f"A{singles + place:06}"
            made.actors.append(self._actor(key, company))
            made.second[places[company.id]] = key
        chosen = self._random.sample(companies, size.records - size.without_partner)
        sisters = [group for group in groups if len(group) > 1]
        strangers: list[Company] = []
        for group in self._random.choices(sisters, k=size.without_partner // 2):
            strangers.append(self._sister(group[0], {one.trade for one in group}))
            group_of[strangers[-1].id] = group
        strangers += [self._company() for _ in range(size.without_partner - len(strangers))]
        everybody = [*chosen, *strangers]
        self._random.shuffle(everybody)
        for place, company in enumerate(everybody):
            key = f"R{place:05}"
            made.records.append(self._record(key, company, group_of.get(company.id, []), companies))
            if company.id in places:
                made.truth[key] = places[company.id]
        return made

    # --- companies ---------------------------------------------------------------------------------------------------

    def _all_stems(self) -> list[str]:
        found: set[str] = set()
        while len(found) < STEMS:
            kind = self._random.random()
            stem = self._random.choice(FIRST) + self._random.choice(SECOND)
            if kind > 0.3:
                stem += self._random.choice(("", "s", "e", "en", "a")) + self._random.choice(SECOND)
            if kind > 0.8:
                stem += " " + self._random.choice(FIRST) + self._random.choice(SECOND)
            if kind < 0.03:
                stem += " & " + self._random.choice(FIRST).capitalize() + self._random.choice(SECOND)
            found.add(" ".join(word.capitalize() if word != "&" else word for word in stem.split(" ")))
        return sorted(found)

    def _town(self) -> tuple[str, str, str]:
        country = self._pick_country()
        digits = 5 if country in ("SE", "FI") else 4
        postcode = "".join(self._random.choices(string.digits[1:], k=digits - 1))
        name = self._random.choice(FIRST) + self._random.choice(SECOND)
        return country, postcode, name.capitalize()

    def _pick_country(self) -> str:
        return self._random.choices([name for name, _ in COUNTRIES], [share for _, share in COUNTRIES])[0]

    def _groups(self, count: int) -> list[list[Company]]:
        groups: list[list[Company]] = []
        made = 0
        while made < count:
            first = self._company()
            group = [first]
            if self._random.random() < 0.12:
                first.trade = first.trade or self._random.choice(TRADES)
                sisters = min(self._random.randint(1, 5), count - made - 1)
                taken = {first.trade}
                for _ in range(sisters):
                    group.append(self._sister(first, taken))
                    taken.add(group[-1].trade)
            groups.append(group)
            made += len(group)
        return groups

    def _company(self) -> Company:
        country, near, city = self._random.choice(self._towns)
        stem = self._random.choice(self._stems)
        trade = self._random.choice(TRADES) if self._random.random() < 0.45 else ""
        self._next += 1
        return Company(
            self._next, stem, trade, self._random.choice(FORMS[country]), country, self._number(country),
            self._phone(country), self._domain(stem, trade, country), self._street(),
            near + self._random.choice(string.digits), city,
        )  # fmt: skip

    def _sister(self, of: Company, taken: set[str]) -> Company:
        """Another company of the same owner: name, and mostly address, switchboard and domain, are alike."""
        own = self._company()
        trade = self._random.choice([one for one in TRADES if one not in taken])
        sister = replace(own, stem=of.stem, trade=trade, country=of.country, form=of.form, domain=of.domain)
        sister.number = self._number(of.country)
        sister.phone = of.phone if self._random.random() < 0.70 else self._phone(of.country)
        if self._random.random() < 0.80:
            sister.street, sister.postcode, sister.city = of.street, of.postcode, of.city
        return sister

    def _number(self, country: str) -> str:
        make = {"NO": self._norwegian, "SE": self._swedish, "DK": self._danish, "FI": self._finnish}[country]
        while (number := make()) in self._numbers:
            pass
        self._numbers.add(number)
        return number

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices(string.digits, k=count))

    def _norwegian(self) -> str:
        return self._with_check(lambda: self._random.choice("89") + self._digits(7), (3, 2, 7, 6, 5, 4, 3, 2))

    def _danish(self) -> str:
        # Its weights go over the check digit too, which weighs 1.
        return self._with_check(lambda: self._random.choice("123") + self._digits(6), (2, 7, 6, 5, 4, 3, 2))

    def _finnish(self) -> str:
        return self._with_check(lambda: self._random.choice("0123") + self._digits(6), (7, 9, 10, 5, 8, 4, 2))

    def _with_check(self, draw: Callable[[], str], weights: Sequence[int]) -> str:
        while True:
            body = draw()
            check = -sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
            if check != 10:
                return body + str(check)

    def _swedish(self) -> str:
        body = "55" + self._random.choice("6789") + self._digits(6)
        doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(body)]
        return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)

    def _phone(self, country: str) -> str:
        draw = self._digits
        return {
            "NO": lambda: self._random.choice(("22", "23", "55", "73", "51", "38", "69")) + draw(6),
            "SE": lambda: "08" + self._random.choice("5678") + draw(7 - self._random.randint(0, 1)),
            "DK": lambda: self._random.choice(("33", "86", "75", "98")) + draw(6),
            "FI": lambda: "09" + self._random.choice("2345678") + draw(6),
        }[country]()

    def _domain(self, stem: str, trade: str, country: str) -> str:
        slug = _slug(stem + (trade if self._random.random() < 0.3 else ""))
        # Whoever comes later must take a longer one.
        while (domain := f"{slug}.{country.lower()}") in self._domains:
            slug += self._random.choice(("gruppen", "nord", "sor", str(self._random.randint(1, 99))))
        self._domains.add(domain)
        return domain

    def _street(self) -> str:
        street = self._random.choice(STREETS)
        letter = self._random.choice("ABC") if self._random.random() < 0.15 else ""
        return f"{street} {self._random.randint(1, 120)}{letter}"

    # --- how they are written down -----------------------------------------------------------------------------------

    def _actor(self, key: str, company: Company) -> Party:
        name, number = company.name, company.number
        if self._happens("erp number missing", self._erp.number_missing):
            number = ""
        if self._happens("erp name mistyped", self._erp.name_mistyped):
            name = self._mistype(name)
        mail = self._random.choice(("post", "firmapost", "faktura", "info"))
        return Party(
            key=key, name=name, number=number, phones=(company.phone,), emails=(f"{mail}@{company.domain}",),
            street=company.street, postcode=company.postcode, city=company.city, country=company.country,
        )  # fmt: skip

    def _record(self, key: str, company: Company, group: Sequence[Company], companies: Sequence[Company]) -> Party:
        street, postcode, city = company.street, company.postcode, company.city
        if self._happens("moved", self._crm.moved):
            _, near, city = self._random.choice([town for town in self._towns if town[0] == company.country])
            street, postcode = self._street(), near + self._random.choice(string.digits)
        return Party(
            key=key,
            name=self._crm_name(company),
            number=self._crm_number(company, group, companies),
            phones=self._crm_phones(company),
            emails=self._crm_emails(company),
            street=street,
            postcode=postcode,
            city=city,
            country=company.country,
        )

    def _crm_name(self, company: Company) -> str:
        noise = self._crm
        bare = " ".join(part for part in (company.stem, company.trade) if part)
        form = "" if self._happens("form missing", noise.form_missing) else company.form
        if self._happens("trading name", noise.name_of_trade):
            bare = f"{self._random.choice(self._stems)} {self._random.choice(TRADES)}"
        if " " in bare and self._happens("word missing", noise.name_word_missing):
            words = bare.split(" ")
            del words[self._random.randrange(len(words))]
            bare = " ".join(words)
        if self._happens("name mistyped", noise.name_mistyped):
            bare = self._mistype(bare)
        if self._happens("transliterated", noise.name_transliterated):
            bare = self._random.choice((_two_letters, _one_letter))(bare)
        if self._happens("and", noise.name_and):
            bare = bare.replace(" & ", " og ")
        if self._happens("department", noise.name_department):
            bare = f"{bare} avd {company.city}"
        name = f"{bare} {form}".strip()
        return name.upper() if self._happens("upper case", noise.name_upper_case) else name

    def _crm_number(self, company: Company, group: Sequence[Company], companies: Sequence[Company]) -> str:
        noise = self._crm
        if self._happens("number missing", noise.number_missing):
            return ""
        number = company.number
        if self._happens("number of another", noise.number_of_another):
            others = [one for one in group if one is not company] or companies
            number = self._random.choice(others).number
        elif self._happens("number mistyped", noise.number_mistyped):
            place = self._random.randrange(len(number))
            number = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        if self._happens("number as VAT", noise.number_as_vat):
            return {
                "NO": f"NO {number[:3]} {number[3:6]} {number[6:]} MVA",
                "SE": f"SE{number}01",
                "DK": f"DK {number}",
                "FI": f"FI{number}",
            }[company.country]
        return number

    def _crm_phones(self, company: Company) -> tuple[str, ...]:
        if self._happens("phone missing", self._crm.phone_missing):
            return ()
        phone = company.phone
        if self._happens("phone other", self._crm.phone_other):
            phone = self._phone(company.country)
        prefix = {"NO": "+47", "SE": "+46", "DK": "+45", "FI": "+358"}[company.country]
        national = phone.removeprefix("0") if company.country in ("SE", "FI") else phone
        spaced = " ".join(phone[place : place + 2] for place in range(0, len(phone), 2))
        return (self._random.choice((phone, spaced, f"{prefix} {national}", f"00{prefix[1:]}{national}")),)

    def _crm_emails(self, company: Company) -> tuple[str, ...]:
        if self._happens("mail missing", self._crm.mail_missing):
            return ()
        if self._happens("mail free", self._crm.mail_free):
            return (f"{_slug(company.stem)}{self._random.randint(1, 99)}@{self._random.choice(FREE_MAIL)}",)
        return (f"{self._random.choice(('post', 'salg', 'kontor', 'leder'))}@{company.domain}",)

    def _happens(self, what: str, rate: float) -> bool:
        happens = self._random.random() < rate
        self._made.noise[what] += happens
        return happens

    def _mistype(self, text: str) -> str:
        place = self._random.randrange(len(text) - 1)
        letter = self._random.choice(string.ascii_lowercase)
        return self._random.choice(
            (
                text[:place] + text[place + 1] + text[place] + text[place + 2 :],
                text[:place] + text[place + 1 :],
                text[:place] + letter + text[place + 1 :],
                text[:place] + letter + text[place:],
            )
        )


def _slug(text: str) -> str:
    return _one_letter(text.lower()).replace(" & ", "-").replace(" ", "")


def _two_letters(text: str) -> str:
    for letter, other in (("ø", "oe"), ("æ", "ae"), ("å", "aa"), ("Ø", "Oe"), ("Æ", "Ae"), ("Å", "Aa")):
        text = text.replace(letter, other)
    return text


def _one_letter(text: str) -> str:
    return text.translate(str.maketrans("øæåØÆÅ", "oaaOAA"))
