"""SOAP: signing in, choosing among several companies, and what a company says of itself."""

import hmac
import secrets
from typing import Any

from .http import inner
from .soap import UNABLE, SoapCall, SoapFault, operation
from .state import Identity, Session, User, World


def _user(world: World, credential: dict[str, Any]) -> User | None:
    user = world.users.get(str(credential.get("Username", "")).lower())
    known = credential.get("ApplicationId", "") in world.application_ids
    password = str(credential.get("Password", ""))
    return user if user and known and hmac.compare_digest(user.password.encode(), password.encode()) else None


def _identities(world: World, username: str) -> list[Identity]:
    return [i for i in world.identities.values() if i.username == username]


@operation("Authenticate", "Login")
def login(call: SoapCall) -> str:
    """A session's id; nothing at all when user, password, application or identity is wrong."""
    credential: dict[str, Any] = inner(call.arguments.get("credential"))
    call.world.logins += 1
    user = _user(call.world, credential)
    if user is None:
        return ""
    own = _identities(call.world, user.username)
    wanted = credential.get("IdentityId")
    chosen = next((i for i in own if (i.id == wanted if wanted else i.default)), None)
    if chosen is None or chosen.disabled:
        return ""
    if chosen.blocked:
        raise SoapFault(UNABLE + f"The provided IdentityId is blocked: {chosen.id}")
    session_id = secrets.token_hex(12)
    call.world.sessions[session_id] = Session(user.username, chosen.id, call.now + call.world.session_for)
    return session_id


@operation("Authenticate", "HasSession")
def has_session(call: SoapCall) -> bool:
    """Whether the cookie's session still lives."""
    return call.session is not None


def _shown(call: SoapCall, identity: Identity, current: str | None) -> dict[str, Any]:
    user, org = call.world.users[identity.username], call.world.organisation(identity.organisation)
    return {
        "Id": identity.id,
        "User": {"ContactId": identity.contact, "Name": user.name, "EmployeeId": identity.contact},
        "Client": {"Id": org.id, "Name": org.name},
        "IsCurrent": identity.id == current,
        "IsDefault": identity.default,
        "IsProtected": False,
        "Servers": [],
        "IsDisabled": identity.disabled,
    }


@operation("Authenticate", "GetIdentity")
def get_identity(call: SoapCall) -> dict[str, Any]:
    """The identity in use."""
    return _shown(call, call.identity, call.identity.id)


@operation("Authenticate", "GetIdentities")
def get_identities(call: SoapCall) -> list[dict[str, Any]]:
    """What the signed-in user can choose among."""
    own = _identities(call.world, call.identity.username)
    return [_shown(call, identity, call.identity.id) for identity in own]


@operation("Authenticate", "GetIdentitiesWithCredential")
def get_identities_with_credential(call: SoapCall) -> list[dict[str, Any]]:
    """What a user could choose among, without signing in."""
    user = _user(call.world, inner(call.arguments.get("credential")))
    if user is None:
        raise SoapFault(UNABLE + "Invalid credentials.")
    return [_shown(call, identity, None) for identity in _identities(call.world, user.username)]


@operation("Authenticate", "SetIdentityById")
def set_identity_by_id(call: SoapCall) -> bool:
    """Go over to another company; false when it is not the user's."""
    return _choose(call, call.arguments.get("identityId"))


@operation("Authenticate", "SetIdentity")
def set_identity(call: SoapCall) -> bool:
    """As SetIdentityById, by the identity itself."""
    return _choose(call, inner(call.arguments.get("identity")).get("Id"))


def _choose(call: SoapCall, identity_id: str | None) -> bool:
    if call.session is None:
        return False
    identity = call.world.identities.get(identity_id or "")
    if identity is None or identity.username != call.session.username or identity.blocked or identity.disabled:
        return False
    call.session.identity = identity.id
    return True


@operation("Client", "GetClientInformation")
def get_client_information(call: SoapCall) -> dict[str, Any]:
    """The company."""
    org = call.org
    return {
        "AddressList": {"Post": {"Street": "Storgata 1", "PostalCode": "0155", "PostalArea": "Oslo", "Country": "NO"}},
        "Country": "NO", "IsUsingFactoring": False, "Name": org.name, "ReminderDays": 14, "ReminderDays2": 14,
        "ReminderDays3": 14, "UserId": org.id, "OrganizationNumber": org.number, "DefaultCurrency": "NOK",
    }  # fmt: skip


@operation("Client", "GetDepartmentList")
def get_department_list(call: SoapCall) -> list[dict[str, Any]]:
    """The departments."""
    return [{"Id": key, "Name": name} for key, name in call.org.departments.items()]


@operation("Client", "GetTypeGroupList")
def get_type_group_list(call: SoapCall) -> list[dict[str, Any]]:
    """Sales types; `Purchase` has none here."""
    if call.arguments.get("module") not in ("All", "Sale", "Purchase"):
        raise SoapFault("Server was unable to read request. ---> module is not valid.", server=False)
    if call.arguments["module"] == "Purchase":
        return []
    org = call.org
    return [
        {"AccountId": org.accounts[number].id, "Id": key, "Name": name}
        for key, (name, number) in org.sales_types.items()
    ]
