"""What connections bring to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Level, Limit, LimitKind, LimitScope, Variable

CONNECTION_REAUTH_REQUIRED = EventType(
    "connection.reauth_required", "The ERP no longer takes a connection's password", Level.ERROR
)
CONNECTION_DEGRADED = EventType("connection.degraded", "A connection's ERP refuses or fails", Level.WARNING)
CONNECTION_HEALED = EventType("connection.healed", "A connection works again")
CONNECTION_PAUSED = EventType("connection.paused", "A connection was paused")
CONNECTION_RESUMED = EventType("connection.resumed", "A paused connection was resumed")
ATTEMPTS_SLOWED = EventType(
    "connection.attempts_slowed", "Many tries to connect were refused, so the next must wait", Level.WARNING
)
CONNECTIONS = Limit("connections", 100, "Connections")
TESTS = Limit(
    "connection_tests_per_hour",
    120,
    "Tests of connections, and answers that are tried out",
    LimitKind.RATE,
    seconds=3600,
)

REFUSED_OF_CALLER = Limit(
    "refused_tries_of_caller", 30, "Refused tries to connect by one caller", LimitKind.REFUSALS, LimitScope.CALLER
)
REFUSED_OF_CLIENT = Limit("refused_tries_of_client", 10, "Refused tries to connect by a client", LimitKind.REFUSALS)
REFUSED_OF_TARGET = Limit(
    "refused_tries_of_target", 5, "Refused tries of one server and login, whoever made them", LimitKind.REFUSALS
)

CONNECTION_RENAMED = Act("connection.renamed", "A connection has another name")
CONNECTION_SHARED = Act("connection.shared", "A connection can be changed by others from now on")
CONNECTION_UNSHARED = Act("connection.unshared", "A connection can be changed by its owner alone")
OWNER_CHANGED = Act("connection.owner_changed", "A connection was given to another member")
CONNECTION_TESTED = Act("connection.tested", "A test of a connection was started by hand")
PAUSED = Act("connection.paused", "A connection was paused")
RESUMED = Act("connection.resumed", "A connection was resumed")

capability = Capability(
    "connections",
    "Connections",
    packages=("connections",),
    events=(
        CONNECTION_REAUTH_REQUIRED,
        CONNECTION_DEGRADED,
        CONNECTION_HEALED,
        CONNECTION_PAUSED,
        CONNECTION_RESUMED,
        ATTEMPTS_SLOWED,
    ),
    limits=(CONNECTIONS, TESTS, REFUSED_OF_CALLER, REFUSED_OF_CLIENT, REFUSED_OF_TARGET),
    environment=(
        Variable("SECRET_PREFIX"),
        Variable("TENANT_ROLE", needed_by=("connections.api",)),
        Variable("SEALED_TABLE"),
        Variable("CHOSEN_STORE"),
        Variable("CONNECT_MACHINE_ARN"),
        Variable("TOKEN_KEY_ID"),
        Variable("ERP_ADDRESSES"),
        Variable("ERP_APPLICATIONS"),
        Variable("ALLOWED_ERP_NETWORKS"),
    ),
    acts=(
        CONNECTION_RENAMED,
        CONNECTION_SHARED,
        CONNECTION_UNSHARED,
        OWNER_CHANGED,
        CONNECTION_TESTED,
        PAUSED,
        RESUMED,
    ),
)
