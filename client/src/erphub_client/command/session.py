"""Who calls which deployment: from the environment, or from the profile that `erphub login` has made."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Annotated, Any, Protocol, Self, TypeVar

import typer
from pydantic import SecretStr

from erphub_client.command.output import Output, plain
from erphub_client.generated import models as m
from erphub_client.hub import Hub
from erphub_client.problems import NotSignedIn
from erphub_client.requests import FixedToken, Token
from erphub_client.sign_in import PersonToken, SignInPage, Tokens
from erphub_client.store import KeptSignIn, Profile, Store

ProfileName = Annotated[str, typer.Option("--profile", envvar="ERPHUB_PROFILE", help="Which remembered deployment.")]
ClientId = Annotated[
    str | None,
    typer.Option("--client", envvar="ERPHUB_CLIENT", help="Id or name of the client; the only one if left out."),
]
ConnectionId = Annotated[
    str | None, typer.Option("--connection", help="Id or name of the connection; the only one if left out.")
]


class Named(Protocol):
    """Something that can be chosen by its id or its name."""

    id: str
    name: str


NamedT = TypeVar("NamedT", bound=Named)


@dataclass(frozen=True)
class Choice:
    """The options that say where and as whom."""

    profile: str = "default"
    client: str | None = None


class Session:
    """The hub as the caller of the command sees it."""

    def __init__(self, choice: Choice, output: Output, store: Store | None = None) -> None:
        self._choice, self.output, self._store = choice, output, store or Store()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "hub" in self.__dict__:
            self.hub.close()

    @cached_property
    def hub(self) -> Hub:
        """The deployment. Raises NotSignedIn, StoreError."""
        kept = self._store.profile(self._choice.profile)
        url = os.environ.get("ERPHUB_URL") or (kept.url if kept else None)
        key = os.environ.get("ERPHUB_API_KEY")
        if url is None or (key is None and (kept is None or kept.sign_in is None)):
            raise NotSignedIn(401, {"code": "not_signed_in", "detail": "Nobody is signed in. Say: erphub login"})
        return Hub(url, FixedToken(key) if key else self._token(kept))

    def _token(self, profile: Profile | None) -> Token:
        if profile is None or profile.sign_in is None:
            raise NotSignedIn(401, {"code": "not_signed_in", "detail": "Nobody is signed in. Say: erphub login"})
        kept = profile.sign_in
        if kept.api_key is not None:
            return FixedToken(kept.api_key.get_secret_value())

        def keep(tokens: Tokens) -> None:
            self._store.keep(self._choice.profile, profile.model_copy(update={"sign_in": with_tokens(kept, tokens)}))

        page = SignInPage(kept.sign_in_url, kept.app_client_id, kept.callback)
        return PersonToken(page, Tokens(_plain(kept.id_token), _plain(kept.refresh_token)), keep)

    @cached_property
    def client(self) -> str:
        """The client's id: named, remembered, or the only one. Raises BadParameter."""
        kept = self._store.profile(self._choice.profile)
        wanted = self._choice.client or (kept.client_id if kept else None)
        return self.choose("client", wanted, self.hub.get_me().clients).id

    def connection(self, wanted: str | None) -> m.Connection:
        """The connection: named, or the only one. Raises BadParameter."""
        return self.choose("connection", wanted, self.hub.iterate_connections(self.client, limit=200))

    def choose(self, noun: str, wanted: str | None, offered: Iterable[NamedT]) -> NamedT:
        """What is meant by an id or a name, or by nothing where there is but one. Raises BadParameter."""
        found = list(offered)
        if wanted is not None:
            fitting = [one for one in found if one.id == wanted] or [one for one in found if one.name == wanted]
        else:
            fitting = found
        if len(fitting) == 1:
            return fitting[0]
        if not found:
            raise typer.BadParameter(f"There is no {noun}.")
        if wanted is None and is_a_person():
            return pick(self.output, f"Which {noun}?", [(one, one.name) for one in found])
        names = ", ".join(f"{plain(one.name)} ({one.id})" for one in found[:20])
        reason = f"There is no {noun} {plain(wanted)}" if wanted and not fitting else f"Say which {noun}"
        raise typer.BadParameter(f"{reason}: {names}")


def open_session(profile: str, client: str | None, *, as_json: bool) -> Session:
    """A session of one call of the command."""
    return Session(Choice(profile, client), Output(as_json=as_json))


def with_tokens(kept: KeptSignIn, tokens: Tokens) -> KeptSignIn:
    """The sign-in with other tokens."""
    return kept.model_copy(
        update={"id_token": SecretStr(tokens.id_token), "refresh_token": SecretStr(tokens.refresh_token)}
    )


def is_a_person() -> bool:
    """Whether somebody sits at a terminal and can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


T = TypeVar("T")


def pick(output: Output, question: str, choices: Sequence[tuple[T, str]], default: int | None = None) -> T:
    """Ask which of these, by number."""
    output.notes.print(f"[bold]{plain(question)}[/]")
    for number, (_, title) in enumerate(choices, 1):
        output.notes.print(f"  {number:>3}  {plain(title)}")
    asked: dict[str, Any] = {} if default is None else {"default": default + 1}
    number = typer.prompt("Number", type=typer_range(len(choices)), err=True, **asked)
    return choices[int(number) - 1][0]


def typer_range(highest: int) -> Callable[[str], int]:
    """What turns an answer into a number of the list. Raises BadParameter, which asks again."""

    def read(text: str) -> int:
        if not str(text).strip().isdigit() or not 1 <= int(text) <= highest:
            raise typer.BadParameter(f"Type a number from 1 to {highest}.")
        return int(text)

    return read


def _plain(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()
