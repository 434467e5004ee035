"""The people who can sign in, kept by the sign-in service."""

from typing import Protocol

from ..models.identity import User


class Users(Protocol):
    """Finds and invites people."""

    def find(self, who: str) -> User | None:
        """The user with this id or e-mail address."""
        ...

    def invite(self, email: str) -> User:
        """Make a user who gets an invitation by e-mail; one who is there already is given back as they are."""
        ...
