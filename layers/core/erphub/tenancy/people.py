"""People named by whoever asks: by their id or their e-mail address; an address nobody has can be invited."""

import re
from dataclasses import dataclass

from erphub.platform.errors import Invalid
from erphub.tenancy import problems
from erphub.tenancy.models import User
from erphub.tenancy.ports import UserDirectory

USER_ID = re.compile(r"[A-Za-z0-9_:.-]{1,128}")
# What the sign-in service takes: printable ASCII, dots only between other characters, a host of whole labels.
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TAKEN = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"#\x00-\x1f]{1,64}@[A-Za-z0-9.-]{1,189}")


@dataclass(frozen=True)
class PersonLookup:
    """Finds who is meant."""

    users: UserDirectory

    def find_or_invite(self, who: str, pointer: str) -> User:
        """The user with this id or address, who is invited when nobody has it. Raises Invalid at `pointer`.

        Only for who may know everybody's address: an id is answered with it.
        """
        if "@" in who:
            return self.find_by_address(who, pointer) or self.users.invite(who.lower())
        user = self.users.find(who) if USER_ID.fullmatch(who) else None
        if user is None:
            raise unknown_user(pointer)
        return user

    def find_by_address(self, address: str, pointer: str) -> User | None:
        """The user with this address. Raises Invalid at `pointer` for an address that nobody can have."""
        if not (_EMAIL.fullmatch(address) and _TAKEN.fullmatch(address)):
            raise Invalid.of(problems.ADDRESS_INVALID(pointer))
        return self.users.find(address.lower())

    def invite(self, address: str) -> User:
        """Somebody new, who is mailed how to sign in. Raises Unavailable."""
        return self.users.invite(address.lower())

    def find(self, email: str) -> User | None:
        """The user with this address."""
        return self.users.find(email.lower())

    def find_id(self, who: str) -> str:
        """The id of whoever has this address; what is no address, or nobody's, is taken for an id."""
        found = self.find(who) if _EMAIL.fullmatch(who) else None
        return found.id if found else who


def unknown_user(pointer: str) -> Invalid:
    """Nobody, or somebody whom the caller may not know: an id tells nothing of a person."""
    return Invalid.of(problems.USER_UNKNOWN(pointer))
