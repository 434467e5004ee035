"""API keys for the people who manage a client's members: made, shown once, rotated, revoked.

A secret is chance, and another one each time: a request that is answered anew must never take what its first attempt
wrote for its own. So secrets are written as work that does not repeat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from erphub.api_keys import problems
from erphub.api_keys.capability import KEY_CREATED, KEY_REVOKED, KEY_ROTATED
from erphub.api_keys.credentials.models import Credential, KeySecret, digest_of, new_key, prefix_of
from erphub.api_keys.credentials.ports import CredentialStore
from erphub.api_keys.models import ApiKey, KeyUse
from erphub.api_keys.ports import ApiKeyStore, KeyUseStore
from erphub.api_keys.schemas import ApiKeyPage, ApiKeyView, KeyRotation, KeyStatus, NewApiKey
from erphub.events.models import Event
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform import redaction
from erphub.platform.actors import ActorDirectory, ActorView
from erphub.platform.acts import describe_act
from erphub.platform.capability import EventType
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import Invalid
from erphub.platform.identity import Member
from erphub.platform.ids import unrepeated
from erphub.platform.versions import require_version
from erphub.platform.wire import PageQuery, instant
from erphub.tenancy.members import require_no_more_than_own
from erphub.tenancy.ports import RoleStore

MAX_SECRETS = 6
"""Of one key, that count at once."""


@dataclass(frozen=True)
class ApiKeyService:
    """The use-cases behind the keys' routes."""

    store: ApiKeyStore
    uses: KeyUseStore
    credentials: CredentialStore
    roles: RoleStore
    events: EventPublisher
    actors: ActorDirectory
    clock: Clock
    new_id: IdGenerator

    def create(self, member: Member, body: NewApiKey) -> ApiKeyView:
        """Make a key; it is in this answer and in no other.

        Raises Invalid (`role_not_found`, `expires_in_past`), Forbidden (`role_exceeds_own`, `person_needed`), Conflict.
        """
        _require_person(member)
        self._require_role(member, body.role, "/role")
        now = self.clock()
        _require_future(body.expires_at, now)
        key = ApiKey(
            id=self.new_id(),
            client_id=member.client_id,
            customer_id=member.customer_id,
            name=body.name,
            role=body.role,
            networks=tuple(dict.fromkeys(body.networks)),
            expires_at=body.expires_at,
            created_by=member.user,
            created_at=now,
        )
        describe_act(new={"key_id": key.id, "prefix": prefix_of(key.id)})
        text = _new_key(key.id)
        there = self.store.get(key.client_id, key.id)
        if there is not None:
            # Stored by a request whose answer was lost: nobody has got its secret, so it gets another.
            return self._replace_secret(there, text)
        credential = Credential(key.id, key.client_id, key.name, key.networks, key.expires_at, (_secret(text),))
        event = _event(KEY_CREATED, key, now, f"An API key, {key.name}, was made for a program.")
        with unrepeated():
            self.store.add(key, credential, event)
        self.events.publish_stored(event)
        return self._view(key, text)

    def list_keys(self, member: Member, query: PageQuery) -> ApiKeyPage:
        """A page of the client's keys, none with its secret."""
        page = self.store.get_page(member.client_id, query.limit, query.next)
        actors = self.actors.find(member.client_id, [one.created_by for one in page.items])
        uses, now = self.uses.find([one.id for one in page.items]), self.clock()
        return ApiKeyPage(items=[_view(one, actors, uses.get(one.id), now) for one in page.items], next=page.next)

    def get(self, member: Member, key_id: str) -> ApiKeyView:
        """One key, without its secret. Raises NotFound."""
        return self._view(self._read(member, key_id))

    def rotate(self, member: Member, key_id: str, body: KeyRotation) -> ApiKeyView:
        """Give a key a new secret; those before count for the overlap.

        Raises NotFound, Invalid (`expires_in_past`), Conflict (`api_key_expired`, `too_many_secrets`), Forbidden
        (`role_exceeds_own`, `person_needed`).
        """
        _require_person(member)
        before, now = self._read(member, key_id), self.clock()
        self._require_role(member, before.role, "")
        _require_future(body.expires_at, now)
        credential = self._credential(before)
        expires_at = body.expires_at or before.expires_at
        if expires_at is not None and expires_at <= now:
            raise problems.API_KEY_EXPIRED()
        ends = now + timedelta(seconds=body.overlap_seconds)
        old = [_ended(one, ends) for one in credential.secrets if one.is_valid(now)] if body.overlap_seconds else []
        if len(old) >= MAX_SECRETS:
            said = f"{MAX_SECRETS} secrets of this key count already. Wait, or rotate with overlap_seconds 0: all of"
            raise problems.TOO_MANY_SECRETS(said=said)
        # What the key was to end with, its old secrets end with: only the new one lasts longer.
        old = [_ended(one, before.expires_at) for one in old]
        text = _new_key(before.id)
        last = max((one.valid_until for one in old if one.valid_until), default=None)
        key = before.model_copy(update={"rotated_at": now, "expires_at": expires_at, "old_key_expires_at": last})
        old_values = {"expires_at": instant(before.expires_at) if before.expires_at else None}
        describe_act(old=old_values, new={"key_id": key.id, "prefix": prefix_of(key.id), "role": key.role})
        event = _event(KEY_ROTATED, key, now, f"The API key {key.name} got a new secret.")
        with unrepeated():
            renewed = replace(credential, expires_at=expires_at, secrets=(*old, _secret(text)))
            after = self.store.rotate(key, renewed, event)
        self.events.publish_stored(event)
        return self._view(after, text)

    def revoke(self, member: Member, key_id: str, version: int | None = None) -> None:
        """Take a key out of the client; its next request is refused.

        Raises NotFound, Forbidden (`role_exceeds_own`, `person_needed`), Conflict.
        """
        _require_person(member)
        key = self._read(member, key_id)
        require_version(version, key.version)
        self._require_role(member, key.role, "")
        describe_act(old={"name": key.name, "role": key.role}, new={"key_id": key.id, "prefix": prefix_of(key.id)})
        event = _event(KEY_REVOKED, key, self.clock(), f"The API key {key.name} was revoked.")
        self.store.revoke(key, event)
        self.events.publish_stored(event)

    def _replace_secret(self, key: ApiKey, text: str) -> ApiKeyView:
        with unrepeated():
            after = self.store.rotate(key, replace(self._credential(key), secrets=(_secret(text),)), None)
        return self._view(after, text)

    def _credential(self, key: ApiKey) -> Credential:
        credential = self.credentials.find(key.id)
        if credential is None:
            raise problems.API_KEY_NOT_FOUND()
        return credential

    def _read(self, member: Member, key_id: str) -> ApiKey:
        key = self.store.get(member.client_id, key_id)
        if key is None:
            raise problems.API_KEY_NOT_FOUND()
        return key

    def _require_role(self, member: Member, name: str, pointer: str) -> None:
        """Nobody makes, renews or takes away a key that may do more than they do."""
        role = self.roles.get(member.customer_id, name)
        if role is None:
            raise Invalid.of(problems.ROLE_UNKNOWN(pointer))
        require_no_more_than_own(member, role)

    def _view(self, key: ApiKey, text: str | None = None) -> ApiKeyView:
        actors, uses = self.actors.find(key.client_id, [key.created_by]), self.uses.find([key.id])
        return _view(key, actors, uses.get(key.id), self.clock(), text)


def _require_person(member: Member) -> None:
    """A key that is in wrong hands must not be able to make others, or to renew itself."""
    if member.is_program:
        raise problems.PERSON_NEEDED()


def _require_future(moment: datetime | None, now: datetime) -> None:
    if moment is not None and moment <= now:
        raise Invalid.of(problems.EXPIRES_IN_PAST("/expires_at"))


def _new_key(key_id: str) -> str:
    text = new_key(key_id)
    redaction.redact([text])
    return text


def _secret(text: str) -> KeySecret:
    return KeySecret(digest_of(text))


def _ended(secret: KeySecret, at: datetime | None) -> KeySecret:
    """The secret, which ends then unless it ends before."""
    ends: Sequence[datetime] = [one for one in (secret.valid_until, at) if one is not None]
    return replace(secret, valid_until=min(ends) if ends else None)


def _event(kind: EventType, key: ApiKey, at: datetime, detail: str) -> Event:
    data = {"key_id": key.id, "name": key.name, "prefix": prefix_of(key.id), "role": key.role}
    return make_event(kind, key.client_id, None, at, f"{key.id} {key.version}", detail, **data)


def _view(
    key: ApiKey, actors: Mapping[str, ActorView], use: KeyUse | None, now: datetime, text: str | None = None
) -> ApiKeyView:
    old = key.old_key_expires_at
    return ApiKeyView(
        id=key.id,
        name=key.name,
        prefix=prefix_of(key.id),
        key=text,
        role=key.role,
        networks=list(key.networks),
        status=KeyStatus.EXPIRED if key.expires_at and now >= key.expires_at else KeyStatus.ACTIVE,
        expires_at=key.expires_at,
        old_key_expires_at=old if old and now < old else None,
        created_by=actors[key.created_by],
        created_at=key.created_at,
        rotated_at=key.rotated_at,
        last_used_at=use.at if use else None,
        last_used_from=use.source if use else None,
        version=key.version,
    )
