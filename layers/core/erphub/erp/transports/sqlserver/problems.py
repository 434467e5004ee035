"""What a SQL Server refuses, or cannot be read for."""

from erphub.erp.problems import ReaderFailed
from erphub.platform.errors import CredentialsDoubted, CredentialsRefused, ErpRefused, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason

HEARD = ("number", "state", "server_said")
"""What the server said, beside the words of ours: its number of the error, its state, its own words."""

NUMBER_TOO_WIDE = ProblemType(
    ErpRefused, "decimal_too_wide", "{name}: the number {lost} has more digits than can be held exactly."
)
VALUE_NO_INSTANT = ProblemType(ErpRefused, "value_unreadable", "{name}: {lost!r} is not an instant.")
INSTANCE_NOT_FOUND = ProblemType(
    ErpRefused,
    "instance_not_found",
    "The server has no instance called {instance} that listens on TCP.{known} Check the name after the backslash.",
)
BROWSER_UNREACHABLE = ProblemType(
    Unavailable,
    "browser_unreachable",
    "Nobody answers which port the instance {instance} has: SQL Server Browser is not running, or UDP port "
    "{port} is blocked.",
    "Open it, or enter the port instead: server,port.",
)
BROWSER_NOT_REACHED = BROWSER_UNREACHABLE.saying(
    "SQL Server Browser cannot be reached from here.", "Enter the port instead: server,port."
)
CREDENTIALS_FORM = ProblemType(ErpRefused, "credentials_form", "A login or password cannot hold a NUL character.")
ANSWER_TOO_LONG = ProblemType(
    ErpRefused,
    "answer_too_long",
    "The server answers a question about its databases or days with more than {maximum} rows. If a date is "
    "mapped, check that the column really holds dates.",
)
CONNECTION_REFUSED = ProblemType(ErpRefused, "connection_refused", "The server refused the connection{message}.")
QUERY_TIMEOUT = ProblemType(
    Unavailable, "query_timeout", "The server did not answer in full within {seconds:.0f} seconds.", members=HEARD
)
OUT_OF_TIME = QUERY_TIMEOUT.saying("The server took too long in all, so nothing more was asked of it.")
TOO_SLOW = QUERY_TIMEOUT.saying(
    "The server gave {size_kb:,.0f} kB in {seconds:.0f} seconds, which is too slow to go on with.",
    "Look at what else it is doing, and at the line to it.",
)
READING_REFUSED = ProblemType(ErpRefused, "erp_refused", "The server refused to read: {message}", members=("number",))
CONNECTION_REFUSED_WITH_MESSAGE = ProblemType(
    ErpRefused, "connection_refused", "The server refused the connection: {message}", members=("number",)
)
LOGIN_REFUSED = ProblemType(
    CredentialsDoubted, "login_refused", "The server refused the login without saying why.", "Check login and password."
)
NO_COMPANY_DATABASES = ProblemType(
    ErpRefused,
    "no_company_databases",
    "The server has no company database that the login can see.",
    "Check that this is the right server, and that the login may see its databases.",
)
NO_DATABASE_OPEN = ProblemType(
    ErpRefused,
    "permission_denied",
    "None of the {count} company databases can be opened. {key}: {problem}",
    members=HEARD,
)
COMPANY_GONE = ProblemType(
    ErpRefused,
    "company_gone",
    "{company} is no longer on the server.",
    "Choose the companies of this connection again.",
    members=HEARD,
)
COLUMN_MISSING = ProblemType(ErpRefused, "column_missing", "{table} has no column {column}.", members=HEARD)
SERVER_UNREACHABLE = ProblemType(
    Unavailable,
    "server_unreachable",
    "No SQL Server that the hub may connect to answers at {server}.",
    "Check name and port; that SQL Server listens on TCP there, and speaks TDS 7 or, where strict encryption is "
    "forced, TDS 8.0; that the firewall lets the hub in; and that the address is on the public internet, or in a "
    "network that the hub's operator has allowed.",
    members=HEARD,
)
SCHEMA_CHANGED = ProblemType(
    ErpRefused,
    "schema_changed",
    "The company's tables were changed after the import was planned.",
    "Run the import again.",
)
DATABASE_GONE = COMPANY_GONE.saying(
    "The database {name} is no longer on the server.", "Choose the companies of this connection again."
)
TABLE_MISSING = ProblemType(
    ErpRefused,
    "table_missing",
    "There is no table or view {table} in the database, or the login may not see it.{hint}",
    members=HEARD,
)
TABLE_NOT_READABLE = NO_DATABASE_OPEN.saying(
    "The login may not read {table}.", "Give it SELECT on it, or db_datareader in the database."
)
COLUMN_TYPE_UNSUITABLE = ProblemType(
    ErpRefused,
    "column_type_unsuitable",
    "{table}.{column} is of type {type}, which cannot become {wanted} ({wanted_type}).",
    "Map another column.",
)
DECIMAL_TOO_WIDE = NUMBER_TOO_WIDE.saying(
    "{table}.{name} is declared with {precision} digits; {maximum} are the most that can be held."
)
NEEDED_COLUMN_MISSING = COLUMN_MISSING.saying(
    "{table} has no column for {name} ({description}), which the import cannot do without. Looked for: {tried}."
)
PATH_FORM = FieldProblemType("path_form", "Write \\\\server\\share\\folder, D:\\folder, /folder or https://address.")
WINDOWS_LOGIN_FORM = FieldProblemType("windows_login_form", "Write a Windows login as DOMAIN\\user.")
LOGIN_IS_WINDOWS = FieldProblemType(
    "login_is_windows", "DOMAIN\\user is a Windows login.", "Choose Windows authentication for it."
)
PATH_CLIMBS = FieldProblemType("path_climbs", "A path with .. in it is not allowed.")
NOT_SQL_SERVER = ProblemType(
    Unavailable,
    "not_sql_server",
    "The server fell silent or ended the connection before it was encrypted. Is it really a SQL Server?",
)
TLS_HOSTNAME_MISMATCH = ProblemType(
    ErpRefused,
    "tls_hostname_mismatch",
    "The server's certificate is made out to {subject}, not to {host}.",
    "Enter the server by the name in its certificate, or have a certificate issued for this name.",
    members=("subject", "issuer", "expires", "fingerprint"),
)
TLS_UNTRUSTED_CERTIFICATE = ProblemType(
    ErpRefused,
    "tls_untrusted_certificate",
    "The server's certificate cannot be trusted ({reason}). It is made out to {subject}, issued by {issuer}, "
    "valid until {expires}.",
    "Enter the certificate of the authority that issued it, or choose to encrypt without verifying.",
    members=("subject", "issuer", "expires", "fingerprint"),
)
TLS_NOT_OFFERED = ProblemType(
    ErpRefused,
    "tls_not_offered",
    "The server offers no encryption, and the hub sends no password without.",
    "Give SQL Server a certificate.",
)
STRICT_ENCRYPTION = ProblemType(
    ErpRefused,
    "strict_encryption",
    "The server forces strict encryption (TDS 8.0) and ended the connection after it was encrypted.",
    'Set Force Strict Encryption to "No" on the server, or check what it says about connections of this kind.',
)
TLS_FAILED = ProblemType(
    ErpRefused, "tls_failed", "The server and the hub could not agree on an encryption. The server must offer TLS 1.2."
)

# Known by the number of the error, or by its words

CREDENTIALS_REFUSED = ProblemType(
    CredentialsDoubted,
    "credentials_refused",
    "The server does not accept the login and password.",
    "Check both, and whether it is an SQL Server or a Windows login.",
    members=HEARD,
)
PASSWORD_EXPIRED = ProblemType(
    CredentialsRefused,
    "password_expired",
    "The login's password has expired.",
    "Change it on the server, then enter the new one here.",
    members=HEARD,
)
PASSWORD_MUST_CHANGE = ProblemType(
    CredentialsRefused,
    "password_must_change",
    "The login's password must be changed before it can be used.",
    "Change it on the server, then enter it here.",
    members=HEARD,
)
LOGIN_DISABLED = ProblemType(
    CredentialsRefused,
    "login_disabled",
    "The login is disabled on the server.",
    "Have it enabled, or use another.",
    members=HEARD,
)
LOGIN_LOCKED = ProblemType(
    CredentialsRefused,
    "login_locked",
    "The login is locked out on the server after too many wrong passwords.",
    "Have it unlocked.",
    members=HEARD,
)
WINDOWS_LOGIN_REFUSED = ProblemType(
    CredentialsDoubted,
    "windows_login_refused",
    "The server does not accept this Windows login: it is from a domain the server does not trust, or the server "
    "only knows Windows logins.",
    "Check DOMAIN\\user, or choose the other kind of authentication.",
    members=HEARD,
)
DEFAULT_DATABASE = ProblemType(
    ErpRefused,
    "default_database",
    "The login's default database cannot be opened on the server.",
    "Give the login another default database, or name the database to sign in to.",
    members=HEARD,
)
FIREWALL = ProblemType(
    ErpRefused,
    "firewall",
    "The server's firewall does not let the hub in.",
    "Allow the hub's outgoing addresses there.",
    members=HEARD,
)
LOGON_TRIGGER = ProblemType(
    ErpRefused,
    "logon_trigger",
    "A logon trigger on the server ends the hub's connections.",
    "Have whoever keeps the server let this login pass.",
    members=HEARD,
)
CONNECTION_KIND_REFUSED = ProblemType(
    ErpRefused,
    "connection_kind_refused",
    "The server does not take connections of this kind.",
    "Have its administrator look into its log of errors.",
    members=HEARD,
)
COMPANY_NOT_OPENED = COMPANY_GONE.saying(
    "The company's database is no longer on the server, or cannot be opened.", "Choose the companies again."
)
NOT_READABLE = NO_DATABASE_OPEN.saying(
    "The login may not read what it needs.", "Give it read access (db_datareader) to the company's database."
)
OBJECT_MISSING = TABLE_MISSING.saying("A table or view that is to be read is not in the company's database.")
COLUMN_GONE = COLUMN_MISSING.saying(
    "A column that is to be read is not in its table any more.", "Run the import again; it looks anew."
)
NUMBER_OVERFLOW = ProblemType(
    ErpRefused, "number_overflow", "The server cannot hold a sum of these amounts.", members=HEARD
)
VALUE_UNREADABLE = ProblemType(ErpRefused, "value_unreadable", "The server could not convert a value.", members=HEARD)
DATABASE_FULL = ProblemType(
    ErpRefused,
    "database_full",
    "The server has no room left for what it needs while reading.",
    "Give it, or its tempdb, more.",
    members=HEARD,
)
SERVER_STARTING = ProblemType(
    Unavailable,
    "server_starting",
    "The server is starting or being updated, and lets only administrators in meanwhile.",
    members=HEARD,
)
SERVER_STOPPING = ProblemType(
    Unavailable, "server_stopping", "The server is being shut down, or was paused.", members=HEARD
)
SERVER_FULL = ProblemType(
    Unavailable,
    "server_full",
    "The server has no connection left: all that it allows at once, or that it is licensed for, are in use.",
    members=HEARD,
)
SERVER_BUSY = ProblemType(Unavailable, "server_busy", "The server is too busy to answer just now.", members=HEARD)
SERVER_UNAVAILABLE = ProblemType(
    Unavailable,
    "server_unavailable",
    "The server cannot be used just now: it is being moved, restarted or mended.",
    members=HEARD,
)
COMPANY_UNAVAILABLE = ProblemType(
    Unavailable,
    "company_unavailable",
    "The company's database is not available just now: it is offline, being restored or moved, or in use by one "
    "user only.",
    members=HEARD,
)
REPLICA_NOT_READABLE = ProblemType(
    Unavailable,
    "replica_not_readable",
    "This replica of the database cannot be read just now.",
    "If it stays so, make the secondary readable, or connect to the listener of the availability group.",
    members=HEARD,
)
DEADLOCK = ProblemType(
    Unavailable, "deadlock", "The server broke off the reading in favour of other work (deadlock).", members=HEARD
)
LOCKS_USED_UP = ProblemType(
    Unavailable, "locks_used_up", "The server had no locks left for the reading.", members=HEARD
)
LOCK_TIMEOUT = ProblemType(
    Unavailable, "lock_timeout", "The table was locked by other work for too long.", members=HEARD
)
SNAPSHOT_CONFLICT = ProblemType(
    Unavailable,
    "snapshot_conflict",
    "The database or the table changed its state or its shape while it was read.",
    members=HEARD,
)
READING_INTERRUPTED = ProblemType(
    Unavailable, "reading_interrupted", "What was read was moved or rebuilt meanwhile.", members=HEARD
)
NO_ANSWER_IN_TIME = QUERY_TIMEOUT.saying("The server did not answer in time.")
CONNECTION_CUT = ProblemType(Unavailable, "connection_cut", "The connection to the server broke.", members=HEARD)
PORT_SILENT = SERVER_UNREACHABLE.saying("The server does not answer on its port.")
ENDED_BEFORE_LOGIN = ProblemType(
    Unavailable, "connection_refused", "The server ended the connection before the login was done.", members=HEARD
)

# Fields of the wizard

CERTIFICATE_FORM = FieldProblemType(
    "certificate_form",
    "This is not a certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----.",
    field="/ca_certificate",
)
PRIVATE_KEY_GIVEN = FieldProblemType(
    "private_key_given",
    "This holds a private key. Remove it, and keep it secret: only the certificate is needed.",
    field="/ca_certificate",
)
SERVER_CHARACTERS = FieldProblemType(
    "server_characters",
    "A server address is made of plain letters, digits, dots and hyphens; U+{code_point:04X} cannot be part of "
    "it. Write an international name in its xn-- form.",
)
SERVER_EMPTY = FieldProblemType("server_empty", "Enter the name or address of the SQL Server.")
SERVER_FORM = FieldProblemType(
    "server_form", "Write the server as name, name\\instance, name,port, name:port, or an IP address."
)
SERVER_INSTANCE = FieldProblemType(
    "server_instance", "An instance name has 1 to 31 letters, digits, _, $ or -, and begins with a letter."
)
SERVER_NAME = FieldProblemType(
    "server_name", "This is not a server name. Write db01.example.com, db01\\INSTANCE, db01,1433 or an IP address."
)
NO_IPV4_ADDRESS = SERVER_NAME.saying("An IPv4 address is written as four numbers: 192.0.2.7.")
NO_IPV6_ADDRESS = SERVER_NAME.saying("This is not a valid IPv6 address.")
ZONE_IN_ADDRESS = SERVER_NAME.saying("An IPv6 address with a zone (%) is only good inside one network.")
SERVER_PORT = FieldProblemType("server_port", "A port is a whole number from 1 to 65535.")
SERVER_TOO_LONG = FieldProblemType("server_too_long", "A server address has at most {maximum} characters.")
DATABASE_NOT_READABLE = NO_DATABASE_OPEN.saying("{name}: {problem}")
DATABASE_UNAVAILABLE = COMPANY_UNAVAILABLE.saying("{name}: {problem}")
# Of one of several companies
NAMES_UNREADABLE = Reason("names_unreadable", "{count} company databases, {open_count} can be opened. {warning}")

# What reading finds in rows, told with a run

BAD_DATE = Reason("bad_date", "A day is none; the row is kept without it.")
BAD_DATE_LEFT_OUT = Reason("bad_date_left_out", "Rows whose day is none belong to no period; they are left out.")
FLOAT_ROUNDED = Reason(
    "float_rounded",
    "A number is kept by the server as a floating-point one; it is rounded to the decimals of its column.",
)
SUM_NOT_POSSIBLE = Reason(
    "sum_not_possible", "The server cannot sum this column, so what arrived is counted and not summed."
)
VALUE_NOT_OF_ITS_COLUMN = VALUE_UNREADABLE.saying(
    "The server sent a value that cannot be what its column holds.",
    "Have the table checked (DBCC CHECKTABLE … WITH DATA_PURITY finds such values).",
)
ROWS_LOST = ProblemType(
    Unavailable, "rows_lost", "The server sent {sent} rows and {received} came, read with {reader}.", "Try again later."
)
READER_FAILED = ProblemType(
    ReaderFailed, "reader_failed", "The driver that reads this server could not go on: {message}"
)
