"""Speaking 24SevenOffice's SOAP services: a session per company, one rate limit, faults in our words."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from erphub.erp.rate_limits import RateLimiter, waiting
from erphub.erp.systems.twentyfourseven import outcomes, problems
from erphub.erp.systems.twentyfourseven.endpoints import AUTHENTICATE, Endpoints, Service
from erphub.erp.systems.twentyfourseven.rate_limits import ASKED, SOAP_HOURLY
from erphub.erp.systems.twentyfourseven.tokens import Tokens
from erphub.erp.systems.twentyfourseven.xml import Node, child, children, envelope, parse, text, truth
from erphub.erp.tokens import Token
from erphub.platform.clock import Clock, Pause
from erphub.platform.errors import HubError, Unavailable
from erphub.platform.redaction import clean_text

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element


ATTEMPTS = 3
SESSION_LIFE = timedelta(hours=8)
"""How long a session is kept at most; HasSession tells earlier when it has ended."""
_SIGNED_OUT = re.compile(
    r"not (?:been )?(?:authenticated|logged in|signed in)|session.{0,30}(?:expired|invalid|ended|not)|NotAuthenticated",
    re.IGNORECASE | re.DOTALL,
)
_BLOCKED_IDENTITY = re.compile(r"IdentityId is blocked", re.IGNORECASE)
_WRONG_CREDENTIALS = re.compile(r"invalid credential|wrong (?:user|password)|login failed", re.IGNORECASE)
_NO_ACCESS = re.compile(r"access (?:is )?denied|no access|not authorized|permission|license", re.IGNORECASE)


@dataclass(frozen=True)
class Login:
    """Who we are to SOAP: a user's credentials, and this integration's own id."""

    username: str
    password: str
    application: str


@dataclass(frozen=True)
class Identity:
    """One company that the user may work in: `id` is the identity, `client` the company's own number."""

    id: str
    client: str
    name: str
    disabled: bool
    default: bool


class SignedOutError(Exception):
    """The session has ended; the call was not carried out."""


class Soap:
    """One user's access over SOAP, to any of the companies the user reaches."""

    def __init__(
        self,
        http: httpx.Client,
        endpoints: Endpoints,
        login: Login,
        tokens: Tokens,
        rate_limiter: RateLimiter,
        clock: Clock,
        *,
        pause: Pause = time.sleep,
    ) -> None:
        self._http = http
        self._endpoints = endpoints
        self._login = login
        self._tokens = tokens
        self._rate_limiter = rate_limiter
        self.clock = clock
        self._pause = pause
        self._proved: set[str] = set()
        self._identities: list[Identity] | None = None

    # --- who we are --------------------------------------------------------------------------------------------------

    def identities(self) -> Sequence[Identity]:
        """Every company the user reaches, without opening a session. Raises CredentialsRefused, Unavailable."""
        if self._identities is None:
            self.must_have_application()
            body: Node = (("credential", self._credential(None)),)
            result = self._patiently(AUTHENTICATE, "GetIdentitiesWithCredential", body, None, writes=False)
            self._identities = [_identity(one) for one in children(result, "Identity")]
        return self._identities

    def identity_of(self, company: str) -> Identity:
        """The identity for a company. Without a company there must be only one to choose from.

        Raises ErpRefused (`company_must_be_chosen`, `company_gone`), CredentialsRefused, Unavailable.
        """
        found = [one for one in self.identities() if company in ("", one.client)]
        if not self.identities():
            raise outcomes.credentials_refused("the user has no identities")
        usable = sorted((one for one in found if not one.disabled), key=lambda one: not one.default)
        if not company and len({one.client for one in usable}) > 1:
            raise problems.COMPANY_NOT_CHOSEN()
        if not usable:
            raise problems.COMPANY_CLOSED_TO_USER(company=company)
        return usable[0]

    def must_have_application(self) -> None:
        """SOAP wants to know which integration calls; a deployment without an id cannot use it. Raises ErpRefused."""
        if not self._login.application:
            raise problems.APPLICATION_ID_MISSING()

    def sign_in(self, company: str) -> str:
        """A new session in the company, to see whether the credentials are still accepted.

        Raises CredentialsRefused, ErpRefused, Unavailable.
        """
        identity = self.identity_of(company)
        return self._tokens.current(self._name(identity), lambda: self._fetch(identity), anew=True)

    def _credential(self, identity: str | None) -> Node:
        return (
            ("ApplicationId", self._login.application),
            ("IdentityId", identity),
            ("Password", self._login.password),
            ("Username", self._login.username),
        )

    def _name(self, identity: Identity) -> str:
        return f"soap:{self._login.username.casefold()}:{identity.id}"

    def _session(self, identity: Identity, not_this: str | None) -> str:
        name = self._name(identity)
        session = self._tokens.current(name, lambda: self._fetch(identity), not_this=not_this)
        if session not in self._proved:
            # Opened by somebody else, it may have ended by idleness: asking is cheaper than a failed write.
            if not self._alive(session):
                session = self._tokens.current(name, lambda: self._fetch(identity), not_this=session)
            self._proved.add(session)
        return session

    def _fetch(self, identity: Identity) -> Token:
        now = self.clock()
        body: Node = (("credential", self._credential(identity.id)),)
        try:
            result = self._call(AUTHENTICATE, "Login", body, None, writes=False)
        except SignedOutError as error:
            raise outcomes.credentials_refused(str(error)) from error
        session = text(result) or ""
        if not session:
            raise outcomes.credentials_refused("Login answered with no session")
        self._proved.add(session)
        return Token(session, now + SESSION_LIFE)

    def _alive(self, session: str) -> bool:
        try:
            result = self._patiently(AUTHENTICATE, "HasSession", (), session, writes=False)
        except SignedOutError:
            return False
        return truth(result)

    # --- calling -----------------------------------------------------------------------------------------------------

    def read(self, service: Service, operation: str, body: Node, company: str) -> "Element | None":
        """Call what changes nothing, with patience; the operation's result element, None when it is absent.

        Raises ErpRefused, CredentialsRefused, Unavailable.
        """
        return self._signed_in(service, operation, body, company, writes=False)

    def write(
        self, service: Service, operation: str, body: Node, company: str, *, repeatable: bool = False
    ) -> "Element | None":
        """Call what changes the ERP, once. Raises ErpRefused, Unavailable (not applied), Uncertain."""
        return self._signed_in(service, operation, body, company, writes=not repeatable, once=not repeatable)

    def _signed_in(
        self, service: Service, operation: str, body: Node, company: str, *, writes: bool, once: bool = False
    ) -> "Element | None":
        identity = self.identity_of(company)
        call = self._call if once else self._patiently
        session = self._session(identity, None)
        try:
            return call(service, operation, body, session, writes=writes)
        except SignedOutError:
            session = self._session(identity, not_this=session)
        try:
            return call(service, operation, body, session, writes=writes)
        except SignedOutError as error:
            raise outcomes.signed_out_again(str(error)) from error

    def again(self, company: str) -> None:
        """Open a new session in the company: an answer said that the present one no longer counts."""
        identity = self.identity_of(company)
        self._session(identity, not_this=self._session(identity, None))

    def _patiently(
        self, service: Service, operation: str, body: Node, session: str | None, *, writes: bool
    ) -> "Element | None":
        failure: HubError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(0.3 * 4**attempt)
            try:
                return self._call(service, operation, body, session, writes=writes)
            except Unavailable as error:
                if error.code == "erp_busy":
                    raise
                failure = error
        raise failure or problems.NOT_ANSWERED()

    def _call(
        self, service: Service, operation: str, body: Node, session: str | None, *, writes: bool
    ) -> "Element | None":
        self._rate_limiter.acquire("soap", SOAP_HOURLY)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{service.action(operation)}"'}
        if session is not None:
            headers["Cookie"] = f"ASP.NET_SessionId={session}"
        base: str = getattr(self._endpoints, service.host)
        try:
            response = self._http.post(
                base + service.path, content=envelope(service.namespace, operation, body), headers=headers
            )
        except httpx.HTTPError as error:
            raise outcomes.lost(error, writes=writes) from error
        finally:
            # The session travels in our own header; a jar would mix the sessions of several companies.
            self._http.cookies.clear()
        return self._judged(response, operation, writes=writes)

    def _judged(self, response: httpx.Response, operation: str, *, writes: bool) -> "Element | None":
        self._heed_limits(response)
        try:
            root = parse(response.content)
        except ValueError as error:
            if response.status_code >= 400:
                raise outcomes.server_error(response.status_code, "", writes=writes) from error
            raise outcomes.unreadable(writes=writes) from error
        fault = child(root, "Body", "Fault")
        if fault is not None:
            raise self._fault(fault, response.status_code, writes=writes)
        answer = child(root, "Body", f"{operation}Response")
        if answer is None:
            if response.status_code >= 400:
                raise outcomes.server_error(response.status_code, "", writes=writes)
            raise outcomes.unreadable(writes=writes)
        return child(answer, f"{operation}Result")

    def _heed_limits(self, response: httpx.Response) -> None:
        now = self.clock()
        until = outcomes.quarantine(response.text, now) if b"uarantine" in response.content[:20_000] else None
        if until is None and response.status_code == 429:
            until = outcomes.retry_after(response.headers, now)
        if until is not None:
            self._rate_limiter.block("soap", until)
            raise waiting(until, now, ASKED)

    def _fault(self, fault: "Element", status: int, *, writes: bool) -> Exception:
        message = clean_text((text(fault, "faultstring") or text(fault, "Reason", "Text") or "").strip())[:500]
        if _BLOCKED_IDENTITY.search(message):
            self._identities = None
            return problems.IDENTITY_BLOCKED(erp_message=message)
        if _WRONG_CREDENTIALS.search(message):
            return outcomes.credentials_refused(message)
        if _SIGNED_OUT.search(message):
            return SignedOutError(message)
        if (missing := outcomes.module_missing(message)) is not None:
            return missing
        if _NO_ACCESS.search(message):
            return outcomes.permission_denied(message)
        if (text(fault, "faultcode") or "").endswith("Client"):
            return outcomes.refused_for_its_period(message) or problems.ERP_REFUSED(erp_message=message)
        return outcomes.server_error(status, message, writes=writes)


def _identity(element: "Element") -> Identity:
    return Identity(
        id=text(element, "Id") or "",
        client=text(element, "Client", "Id") or "",
        name=text(element, "Client", "Name") or text(element, "Client", "Id") or "",
        disabled=truth(element, "IsDisabled"),
        default=truth(element, "IsDefault"),
    )
