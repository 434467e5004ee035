"""The wizard steps that every ERP on SQL Server shares: the server, and where vouchers lie."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from erphub.erp.description import AnswerRole, Field, Step
from erphub.erp.steps import companies_step, finish_step, name_step, shared_field
from erphub.erp.transports.sqlserver import address, problems
from erphub.platform.errors import FieldError, Invalid

__all__ = ["companies_step", "finish_step", "name_step", "server_step", "vouchers_step"]

# JavaScript and Python read these alike. A NUL would end the text inside the driver, unseen.
_NO_CONTROLS = "^[^\\u0000-\\u001f\\u007f]*$"
_NO_NUL = "^[^\\u0000]*$"

_UNC = re.compile(r"\\\\[^\\/:*?\"<>|]+\\[^/:*?\"<>|]+")
_DRIVE = re.compile(r"[A-Za-z]:\\[^/:*?\"<>|]*")
_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s\\]*)?")
_POSIX = re.compile(r"/[^\\]*")

TRUST_WARNING = (
    "The connection is encrypted, but nobody checks whose certificate it is: someone between the hub and the server"
    " could read the password. Prefer to verify."
)
_SERVER = Field(
    "server",
    "Server",
    "Name or IP address, with an instance or a port where there is one: name, name\\instance, name,port."
    " The server must be reachable from the hub.",
    example="db01.example.com\\VISMA",
    max_length=address.MAX_ADDRESS_LENGTH,
    names_target=True,
)
_LOGIN = (
    Field(
        "authentication",
        "Authentication",
        "How the login is checked. Windows needs a domain user with a password: an integrated login, without a"
        " password, cannot work from the cloud.",
        default="sql",
        choices={"sql": "SQL Server login", "windows": "Windows login (DOMAIN\\user)"},
    ),
    Field(
        "login",
        "Login",
        "The SQL Server login, or DOMAIN\\user for Windows authentication. It needs read access only.",
        example="erphub_reader",
        max_length=128,
        pattern=_NO_CONTROLS,
        names_target=True,
        needed="Enter a login. Windows authentication needs DOMAIN\\user and a password too: an integrated"
        " login is made with the user who sits at the machine, and in the cloud nobody does.",
    ),
    Field(
        "login_database",
        "Database to sign in to",
        "Only for a login that exists in one database alone (a contained user, as Azure SQL has them): that database.",
        required=False,
        example="F0001",
        max_length=128,
        pattern=_NO_CONTROLS,
    ),
    Field(
        "password",
        "Password",
        "Stored encrypted, never shown again.",
        secret=True,
        max_length=128,
        pattern=_NO_NUL,
    ),
)
_ENCRYPTION = (
    Field(
        "encryption",
        "Encryption",
        "The connection is always encrypted. Verifying also makes sure that the server is the one you mean.",
        default="verify",
        choices={
            "verify": "Encrypt, and verify the server's certificate",
            "trust": "Encrypt without verifying",
        },
        warnings={"trust": TRUST_WARNING},
    ),
    Field(
        "ca_certificate",
        "CA certificate",
        "The certificate of the authority that issued the server's (PEM). Empty for a public authority.",
        required=False,
        multiline=True,
        max_length=100_000,
        when=("encryption", ("verify",)),
    ),
)


def server_step(*further: Field) -> Step:
    """Where the server is and who we are to it; `further` fields stand after the server."""
    return Step(
        id="server",
        title="SQL Server",
        help="The SQL Server that holds the ERP's databases, and a login that may read them.",
        fields=(_SERVER, *further, *_LOGIN, *_ENCRYPTION, shared_field()),
        tests=True,
        checks=(_server_address, _login_form, _certificate_form),
    )


def system_database(default: str, help: str) -> Field:
    """The database that knows the companies."""
    # Read after the sign-in, on the same server.
    return Field(
        "database",
        "Database",
        help,
        example=default,
        default=default,
        max_length=128,
        pattern=_NO_CONTROLS,
        keeps_secrets=True,
    )


def vouchers_step(providers: Mapping[str, str], path_of: str, path_title: str) -> Step:
    """Where a voucher's document can be fetched from; the path is asked for the provider `path_of`."""
    return Step(
        id="vouchers",
        title="Vouchers",
        help="Where documents that belong to vouchers are kept, if they are to be shown.",
        fields=(
            Field(
                "voucher_provider",
                "Voucher provider",
                "The archive in which scanned vouchers lie.",
                default="none",
                choices={"none": "None", **providers},
                role=AnswerRole.VOUCHER_ARCHIVE,
            ),
            Field(
                "document_center_path",
                path_title,
                "The archive's folder or address: \\\\server\\share, a folder on a drive, or an https address.",
                example="\\\\files01\\DocumentCenter",
                max_length=400,
                pattern=_NO_CONTROLS,
                when=("voucher_provider", (path_of,)),
                role=AnswerRole.VOUCHER_PATH,
            ),
        ),
        checks=(_path_form,),
    )


def _server_address(answer: Mapping[str, Any]) -> Iterator[FieldError]:
    try:
        address.parse(answer["server"])
    except Invalid as error:
        yield from error.errors


def _login_form(answer: Mapping[str, Any]) -> Iterator[FieldError]:
    login = str(answer["login"])
    if answer["authentication"] == "windows":
        domain, backslash, user = login.partition("\\")
        if not (domain and backslash and user) or "\\" in user or "/" in login:
            yield problems.WINDOWS_LOGIN_FORM("/login")
    elif "\\" in login:
        yield problems.LOGIN_IS_WINDOWS("/login")


def _certificate_form(answer: Mapping[str, Any]) -> Iterator[FieldError]:
    pem = answer.get("ca_certificate")
    if pem:
        from erphub.erp.transports.sqlserver.tls import authority

        try:
            authority(pem)
        except Invalid as error:
            yield from error.errors


def _path_form(answer: Mapping[str, Any]) -> Iterator[FieldError]:
    path = answer.get("document_center_path")
    if path is None:
        return
    if not any(form.fullmatch(path) for form in (_UNC, _DRIVE, _HTTPS, _POSIX)):
        yield problems.PATH_FORM("/document_center_path")
    elif ".." in re.split(r"[\\/]", path):
        yield problems.PATH_CLIMBS("/document_center_path")
