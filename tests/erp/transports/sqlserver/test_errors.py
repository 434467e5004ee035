"""What the server says, in our words, and never with a password in it."""

import pytest

from erphub.erp.transports.sqlserver import errors
from erphub.platform.errors import CredentialsDoubted, CredentialsRefused, ErpRefused, Unavailable
from erphub.platform.outbound.tds.messages import ServerError

TAIL = b"DB-Lib error message 20018, severity 14:\nGeneral SQL Server error: Check messages from the SQL Server\n"
FAILED = b"DB-Lib error message 20002, severity 9:\nTDS server connection failed (db01)\n"


def failure(number: int, words: bytes) -> Exception:
    return Exception((number, words))


@pytest.mark.parametrize(
    ("heard", "code", "kind"),
    [
        ([(18456, "Login failed for user 'x'.")], "credentials_refused", CredentialsDoubted),
        ([(18452, "Login failed. The login is from an untrusted domain")], "windows_login_refused", CredentialsDoubted),
        (
            [(18470, "Login failed for user 'x'. Reason: The account is disabled.")],
            "login_disabled",
            CredentialsRefused,
        ),
        ([(18487, "The password of the account has expired.")], "password_expired", CredentialsRefused),
        ([(18488, "The password of the account must be changed.")], "password_must_change", CredentialsRefused),
        ([(18486, "The account is currently locked out.")], "login_locked", CredentialsRefused),
        (
            [(4064, "Cannot open user default database."), (18456, "Login failed for user 'x'.")],
            "default_database",
            ErpRefused,
        ),
        ([(40615, "Client with IP address '1.2.3.4' is not allowed to access the server.")], "firewall", ErpRefused),
        ([(40613, "Database 'x' is not currently available.")], "server_unavailable", Unavailable),
        ([(18456, "Innlogging mislyktes.")], "credentials_refused", CredentialsDoubted),
        ([(99999, "Something else.")], "connection_refused", ErpRefused),
    ],
)
def test_what_was_heard_at_the_login_decides(heard: list[tuple[int, str]], code: str, kind: type[Exception]) -> None:
    said = [ServerError(number, 1, 14, message) for number, message in heard]
    problem = errors.connecting(failure(20002, TAIL + FAILED), said, ["s3cret"])
    assert (problem.code, type(problem)) == (code, kind)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (b"Login failed for user 'x'." + TAIL, "credentials_refused"),
        (
            b"DB-Lib error message 20009:\nUnable to connect: TDS server is unavailable or does not exist (db01)",
            "server_unreachable",
        ),
        (b"Unable to connect: Adaptive Server is unavailable or does not exist (db01)", "server_unreachable"),
        (b"DB-Lib error message 20003, severity 6:\nTDS server connection timed out\n", "query_timeout"),
        (b"DB-Lib error message 20017, severity 9:\nUnexpected EOF from the server\n" + FAILED, "connection_cut"),
        (FAILED, "connection_refused"),
        (TAIL + FAILED, "login_refused"),
    ],
)
def test_without_the_servers_words_the_drivers_are_read_and_never_its_stale_number(words: bytes, code: str) -> None:
    assert errors.connecting(failure(18456, words), [], []).code == code


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (208, "table_missing", ErpRefused),
        (207, "column_missing", ErpRefused),
        (229, "permission_denied", ErpRefused),
        (230, "permission_denied", ErpRefused),
        (911, "company_gone", ErpRefused),
        (916, "permission_denied", ErpRefused),
        (927, "company_unavailable", Unavailable),
        (942, "company_unavailable", Unavailable),
        (1205, "deadlock", Unavailable),
        (1222, "lock_timeout", Unavailable),
        (3960, "snapshot_conflict", Unavailable),
        (3961, "snapshot_conflict", Unavailable),
        (8115, "number_overflow", ErpRefused),
        (245, "value_unreadable", ErpRefused),
        (701, "server_busy", Unavailable),
        (40501, "server_busy", Unavailable),
        (20003, "query_timeout", Unavailable),
        (20020, "connection_cut", Unavailable),
        (20047, "connection_cut", Unavailable),
        (20017, "connection_cut", Unavailable),
        (20006, "connection_cut", Unavailable),
    ],
)
def test_while_reading_the_number_decides(number: int, code: str, kind: type[Exception]) -> None:
    problem = errors.running(failure(number, b"Words." + TAIL), [])
    assert (problem.code, type(problem)) == (code, kind)
    assert problem.members["server_said"] == "Words."


def test_an_error_nobody_knows_keeps_the_servers_words_without_secrets_or_tail() -> None:
    words = b"Odd thing about  s3cret\nand 'reader'." + TAIL
    problem = errors.running(failure(12345, words), ["s3cret", ""])
    assert problem.detail == "The server refused to read: Odd thing about [hidden] and 'reader'."
    assert "s3cret" not in str(problem.members)


def test_every_known_refusal_says_something_in_a_sentence() -> None:
    for known in (*errors._KNOWN, *errors._DRIVER):
        assert known.problem.text.endswith(".")
        assert known.problem.text[0].isupper()
        assert known.numbers or known.pattern


def test_no_number_means_two_things() -> None:
    numbers = [number for known in (*errors._KNOWN, *errors._DRIVER) for number in known.numbers]
    assert len(numbers) == len(set(numbers))


FAILED_LOGIN = "Login failed for user 'reader'."
AT_LOGIN = {
    CredentialsDoubted: (18452, 18456),
    CredentialsRefused: (18470, 18486, 18487, 18488),
    ErpRefused: (4060, 4064, 17810, 17835, 17892, 40615, 40914, 47073),
    Unavailable: (
        *(17142, 17187, 17188, 17189, 17191, 17197, 17300, 17809, 17830, 18401, 18451, 18458, 18459, 18460, 18461),
        *(10928, 10929, 10936, 40143, 40166, 40197, 40501, 40540, 40613, 40642, 40648, 40671, 40675, 42108, 42109),
        *(49802, 49918, 49919, 49920, 49977, 49983),
    ),
}
READING = {
    ErpRefused: (207, 208, 220, 229, 230, 232, 241, 242, 245, 297, 300, 911, 916, 1101, 1105, 8114, 8115, 8134, 40544),
    Unavailable: (
        *(233, 596, 601, 615, 617, 669, 701, 802, 921, 922, 924, 926, 927, 941, 942, 945, 952, 955, 976, 978, 979),
        *(981, 982, 983, 988, 1203, 1204, 1205, 1221, 1222, 2816, 3935, 3941, 3944, 3947, 3948, 3951, 3952, 3957),
        *(3958, 3960, 3961, 3966, 6005, 8628, 8645, 8651, 9001, 10053, 10054, 10060, 10936, 40143, 40197, 40501),
        *(40540, 40613, 40642, 42108, 42109, 49802, 49918, 49977, 49983),
    ),
}


def lines(table: dict[type[Exception], tuple[int, ...]]) -> list[tuple[int, type[Exception]]]:
    return [(number, kind) for kind, numbers in table.items() for number in numbers]


@pytest.mark.parametrize(("number", "kind"), lines(AT_LOGIN))
def test_at_the_login_the_number_says_whether_it_is_these_credentials_not_now_or_never(
    number: int, kind: type[Exception]
) -> None:
    # Whatever the number, a server may begin its words alike, or add that the login failed.
    said = [ServerError(number, 1, 14, FAILED_LOGIN), ServerError(18456, 1, 14, FAILED_LOGIN)]
    assert type(errors.connecting(failure(20002, TAIL + FAILED), said, [])) is kind


@pytest.mark.parametrize(("number", "kind"), lines(READING))
def test_while_reading_the_number_says_whether_it_passes(number: int, kind: type[Exception]) -> None:
    assert type(errors.running(failure(number, b"Words." + TAIL), [])) is kind


def test_every_number_of_the_tables_is_tried_here() -> None:
    tried = {number for number, _ in (*lines(AT_LOGIN), *lines(READING))}
    known = {number for one in errors._KNOWN for number in one.numbers}
    assert tried <= known
    assert len(tried) >= len(known) * 0.7
