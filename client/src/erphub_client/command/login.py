"""Signing in and out: by the deployment's page, by user name and password (SRP), or with an API key."""

import sys
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr

from erphub_client.command.output import AsJson, Output, plain
from erphub_client.command.session import Choice, ProfileName, Session, is_a_person, open_session, with_tokens
from erphub_client.problems import NotSignedIn
from erphub_client.sign_in import CALLBACK, Question, SignInPage, Tokens, by_srp
from erphub_client.store import KeptSignIn, Profile, Store

PATIENCE = 300.0
"""Seconds that somebody has at the sign-in page."""


def login(
    url: Annotated[str | None, typer.Option(envvar="ERPHUB_URL", help="Address of the API.")] = None,
    sign_in_url: Annotated[
        str | None, typer.Option(envvar="ERPHUB_SIGN_IN_URL", help="Address of the sign-in page.")
    ] = None,
    app_client_id: Annotated[
        str | None, typer.Option(envvar="ERPHUB_APP_CLIENT_ID", help="The deployment's UserPoolClientId.")
    ] = None,
    callback: Annotated[
        str, typer.Option(help="Where the page sends the browser back to; the deployment names it.")
    ] = CALLBACK,
    api_key: Annotated[
        bool, typer.Option("--api-key", help="With an API key, which is asked for (or read from standard input).")
    ] = False,
    srp: Annotated[bool, typer.Option("--srp", help="With user name and password, without a browser.")] = False,
    user: Annotated[str | None, typer.Option(help="With --srp: the user name.")] = None,
    user_pool_id: Annotated[str | None, typer.Option(envvar="ERPHUB_USER_POOL_ID", help="With --srp.")] = None,
    region: Annotated[str, typer.Option(envvar="ERPHUB_REGION", help="With --srp.")] = "eu-north-1",
    browser: Annotated[bool, typer.Option(help="Open the page by itself.")] = True,
    profile: ProfileName = "default",
    client: Annotated[str | None, typer.Option("--client", help="The client to work with from now on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sign in, and remember it in a file that only you may read. Keys and passwords are never options."""
    output, store = Output(as_json=as_json), Store()
    known = store.profile(profile)
    before = known.sign_in if known and known.sign_in else KeptSignIn()
    address = _said("Address of the API", url, known.url if known else "")
    if api_key:
        kept = KeptSignIn(api_key=SecretStr(_hidden("API key")))
    else:
        app = _said("App client id", app_client_id, before.app_client_id)
        page = SignInPage(
            _said("Address of the sign-in page", sign_in_url, before.sign_in_url).rstrip("/"), app, callback
        )
        if srp:
            name = _said("User name", user, "")
            pool = _said("User pool id", user_pool_id, "")
            tokens = by_srp(pool, app, region, name, _hidden("Password"))
        else:
            tokens = by_page(Question(page), output, opens=browser)
        kept = with_tokens(KeptSignIn(sign_in_url=page.url, app_client_id=app, callback=callback), tokens)
    store.keep(profile, Profile(url=address, client_id=client, sign_in=kept))
    with Session(Choice(profile, client), output, store) as session:
        _show(session)


def logout(profile: ProfileName = "default", as_json: AsJson = False) -> None:
    """Forget the tokens or the key of a profile."""
    store = Store()
    known = store.profile(profile)
    if known is not None:
        store.keep(profile, known.model_copy(update={"sign_in": None}))
    output = Output(as_json=as_json)
    output.say("You are signed out here.")
    if as_json:
        output.value({"profile": profile, "signed_in": False})


def whoami(profile: ProfileName = "default", as_json: AsJson = False) -> None:
    """Who you are to the hub, and which clients you may work with."""
    with open_session(profile, None, as_json=as_json) as session:
        _show(session)


def _show(session: Session) -> None:
    me = session.hub.get_me()
    if session.output.as_json:
        session.output.value(me)
        return
    name = me.email or (me.api_key.name if me.api_key else me.id)
    session.output.say(f"You are [bold]{plain(name)}[/], signed in with {plain(me.signed_in_with)}.")
    rows = [(one.name, one.id, one.role) for one in me.clients]
    session.output.table(("client", "id", "role"), rows, me.clients)


def _said(question: str, given: str | None, known: str) -> str:
    if given or known:
        return given or known
    if not is_a_person():
        raise typer.BadParameter(f"{question} is not known: say it as an option.")
    return str(typer.prompt(question, err=True))


def _hidden(question: str) -> str:
    """A secret, typed unseen or piped in; never from the command line, which others can list."""
    text = typer.prompt(question, hide_input=True, err=True) if is_a_person() else sys.stdin.readline()
    if not str(text).strip():
        raise typer.BadParameter(f"{question}: nothing was given.")
    return str(text).strip()


def by_page(question: Question, output: Output, *, opens: bool) -> Tokens:
    """Sign in at the page: the browser comes back to us, or its last address is pasted."""
    callback = urlsplit(question.page.callback)
    came_back: list[str] = []

    class Back(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if urlsplit(self.path).path == callback.path:
                came_back.append(self.path)
            self.send_response(200 if came_back else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"You can close this page: the terminal goes on." if came_back else b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002
            return

    if not opens:
        output.notes.print(f"Sign in at this address:\n{question.address}", markup=False)
        return question.answered(typer.prompt("Then paste the address you were sent to", err=True))
    with HTTPServer((callback.hostname or "localhost", callback.port or 80), Back) as server:
        output.notes.print(f"Sign in on the page that opens, or open it yourself:\n{question.address}", markup=False)
        webbrowser.open(question.address)
        ends = time.monotonic() + PATIENCE
        while not came_back and (left := ends - time.monotonic()) > 0:
            server.timeout = left
            server.handle_request()
    if not came_back:
        raise NotSignedIn(401, {"code": "sign_in_timed_out", "detail": "Nobody signed in on the page. Try again."})
    return question.answered(came_back[0])
