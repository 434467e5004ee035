"""What API keys bring to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Level, Limit

API_KEYS = Limit("api_keys", 50, "API keys")

API_KEY_CREATED = Act("api_key.created", "An API key was made for a program")
API_KEY_ROTATED = Act("api_key.rotated", "An API key got a new secret")
API_KEY_REVOKED = Act("api_key.revoked", "An API key was revoked")
API_KEY_REFUSED = Act("api_key.network_refused", "An API key was used from a network that it is not for")
"""No route's: any request may be it."""

KEY_CREATED = EventType("api_key.created", "An API key was made for a program")
KEY_ROTATED = EventType("api_key.rotated", "An API key got a new secret")
KEY_REVOKED = EventType("api_key.revoked", "An API key was revoked")
KEY_REFUSED = EventType(
    "api_key.network_refused", "An API key was used from a network that it is not for", Level.WARNING
)

capability = Capability(
    "api_keys",
    "API keys",
    packages=("api_keys",),
    events=(KEY_CREATED, KEY_ROTATED, KEY_REVOKED, KEY_REFUSED),
    limits=(API_KEYS,),
    acts=(API_KEY_CREATED, API_KEY_ROTATED, API_KEY_REVOKED),
)
