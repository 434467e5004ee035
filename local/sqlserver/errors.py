"""What the stand-in server says when it cannot do what it was asked: SQL Server's own numbers and sentences."""

from dataclasses import dataclass


@dataclass
class SqlError(Exception):
    """One message of SQL Server: `severity` 11-16 ends the statement, 20 and above the connection."""

    number: int
    text: str
    severity: int = 16
    state: int = 1

    def __str__(self) -> str:
        return f"{self.number}: {self.text}"


class ConnectionLost(Exception):
    """The other side went away, or a fault cut the line."""


class Cancelled(Exception):
    """The client sent an attention: the running statement ends without a word."""


def syntax(text: str) -> SqlError:
    """Refusal of a statement that is not on the project's list; it names the statement, so that a log shows it."""
    shown = text if len(text) <= 400 else text[:400] + "…"
    return SqlError(102, f"Incorrect syntax near '{shown}'. The stand-in server does not know this statement.", 15)


def login_failed(user: str) -> SqlError:
    """Wrong name or password; the server never says which."""
    return SqlError(18456, f"Login failed for user '{user}'.", 14)


def account_disabled(user: str) -> SqlError:
    """The right password of a login that was switched off."""
    return SqlError(18470, f"Login failed for user '{user}'. Reason: The account is disabled.", 14)


def password_expired(user: str) -> SqlError:
    """The right password, but too old."""
    return SqlError(18487, f"Login failed for user '{user}'.  Reason: The password of the account has expired.", 14)


def password_must_change(user: str) -> SqlError:
    """The right password, which the administrator wants changed at first use."""
    return SqlError(18488, f"Login failed for user '{user}'.  Reason: The password of the account must be changed.", 14)


def untrusted_domain() -> SqlError:
    """A Windows login whose proof does not hold, or from a domain the server does not know."""
    return SqlError(
        18452,
        "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.",
        14,
    )


def cannot_open_requested(database: str) -> SqlError:
    """The database named at login cannot be opened; 18456 follows it, as on the real server."""
    return SqlError(4060, f'Cannot open database "{database}" requested by the login. The login failed.', 11)


def cannot_open_default() -> SqlError:
    """The login's own default database cannot be opened."""
    return SqlError(4064, "Cannot open user default database. Login failed.", 11)


def no_database(database: str) -> SqlError:
    """`USE` of a name nobody has."""
    return SqlError(911, f"Database '{database}' does not exist. Make sure that the name is entered correctly.", 16)


def no_access(login: str, database: str) -> SqlError:
    """`USE` of a database the login may not enter."""
    return SqlError(
        916,
        f'The server principal "{login}" is not able to access the database "{database}" '
        "under the current security context.",
        14,
    )


def offline(database: str) -> SqlError:
    """`USE` of a database that was taken offline."""
    return SqlError(942, f"Database '{database}' cannot be opened because it is offline.", 14)


def restoring(database: str) -> SqlError:
    """`USE` of a database that is being restored."""
    return SqlError(927, f"Database '{database}' cannot be opened. It is in the middle of a restore.", 14)


def no_object(name: str) -> SqlError:
    """A table or view that is not there."""
    return SqlError(208, f"Invalid object name '{name}'.")


def no_column(name: str) -> SqlError:
    """A column the table has not."""
    return SqlError(207, f"Invalid column name '{name}'.")


def select_denied(table: str, database: str, schema: str) -> SqlError:
    """The login may enter the database but not read the table."""
    return SqlError(
        229, f"The SELECT permission was denied on the object '{table}', database '{database}', schema '{schema}'.", 14
    )


def bad_operand(type_name: str, operator: str) -> SqlError:
    """A sum of texts, a minimum of bits."""
    return SqlError(8117, f"Operand data type {type_name} is invalid for {operator} operator.")


def operand_clash(left: str, right: str) -> SqlError:
    """Two types that cannot be compared."""
    return SqlError(206, f"Operand type clash: {left} is incompatible with {right}")


def overflow(type_name: str) -> SqlError:
    """A sum that fits no decimal(38)."""
    return SqlError(8115, f"Arithmetic overflow error converting expression to data type {type_name}.")


DIVIDED_BY_ZERO = "Divide by zero error encountered."


def divided_by_zero() -> SqlError:
    """A division by zero, which ends the answer wherever it stands."""
    return SqlError(8134, DIVIDED_BY_ZERO)


def conversion(detail: str) -> SqlError:
    """A text that is no number or no date."""
    return SqlError(245, f"Conversion failed: {detail}")


def out_of_range(type_name: str) -> SqlError:
    """A literal that the column's date type cannot hold."""
    words = f"The conversion of a varchar data type to a {type_name} data type resulted in an out-of-range value."
    return SqlError(242, words, 16)


def deadlock(session: int) -> SqlError:
    """This session lost; the whole transaction is gone and may be run again."""
    return SqlError(
        1205,
        f"Transaction (Process ID {session}) was deadlocked on lock resources with another process and has been "
        "chosen as the deadlock victim. Rerun the transaction.",
        13,
        51,
    )


def lock_timeout() -> SqlError:
    """Another session holds the rows for longer than `SET LOCK_TIMEOUT` allows."""
    return SqlError(1222, "Lock request time out period exceeded.", 16, 51)


def snapshot_conflict(table: str, database: str) -> SqlError:
    """A snapshot transaction met a change made after it began."""
    return SqlError(
        3960,
        "Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access "
        f"table '{table}' directly or indirectly in database '{database}' to update, delete, or insert the row that "
        "has been modified or deleted by another transaction. Retry the transaction or change the isolation level "
        "for the update/delete statement.",
        16,
        2,
    )


def snapshot_not_allowed(database: str) -> SqlError:
    """The database does not keep row versions."""
    return SqlError(
        3952,
        f"Snapshot isolation transaction failed accessing database '{database}' because snapshot isolation is not "
        "allowed in this database. Use ALTER DATABASE to allow snapshot isolation.",
    )


def no_transaction() -> SqlError:
    """`COMMIT` without a `BEGIN`."""
    return SqlError(3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")


def no_procedure(name: str) -> SqlError:
    """A stored procedure the stand-in has not."""
    return SqlError(2812, f"Could not find stored procedure '{name}'.")
