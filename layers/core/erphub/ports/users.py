"""The people who can sign in, kept by the sign-in service."""

from typing import Protocol

from ..models.identity import User


class Users(Protocol):
    """Finds and invites people."""

    def find(self, who: str) -> User | None:
        """The user with this id or e-mail address.

        Raises Conflict (`email_unconfirmed`) when whoever says that the address is theirs has not shown it.
        """
        ...

    def invite(self, email: str) -> User:
        """Make a user who gets an invitation by e-mail; one who is there already is given back as they are.

        Raises Conflict (`email_unconfirmed`), Unavailable (`invitation_not_sent`).
        """
        ...
