"""The exit codes of the command."""

from enum import IntEnum

from erphub_client import problems
from erphub_client.problems import HubProblem


class Exit(IntEnum):
    """How a call ended, for scripts."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    SIGN_IN = 3
    NOT_FOUND = 4
    INVALID = 5
    CONFLICT = 6
    FAILED = 7
    UNAVAILABLE = 8
    ERP = 9
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.DONE: "it was done",
    Exit.UNEXPECTED: "something that should not happen",
    Exit.USAGE: "the call was wrong: an option, a name that is not there to choose",
    Exit.SIGN_IN: "not signed in, no longer, or the role does not allow it (401, 403)",
    Exit.NOT_FOUND: "there is no such thing (404)",
    Exit.INVALID: "what was sent is wrong (400, 413, 415, 422)",
    Exit.CONFLICT: "somebody or something was first, or it is over (409, 410, 412)",
    Exit.FAILED: "what was asked for was done and did not succeed: a run, a transfer, documents that were refused",
    Exit.UNAVAILABLE: "the hub does not answer, or asks to wait longer than this command does (429, 5xx)",
    Exit.ERP: "the ERP refused (502)",
    Exit.INTERRUPTED: "ended by Ctrl-C; what goes on in the hub goes on",
}

_BY_PROBLEM: tuple[tuple[type[HubProblem], Exit], ...] = (
    (problems.NotSignedIn, Exit.SIGN_IN),
    (problems.NotAllowed, Exit.SIGN_IN),
    (problems.NotFound, Exit.NOT_FOUND),
    (problems.Invalid, Exit.INVALID),
    (problems.Conflict, Exit.CONFLICT),
    (problems.Ended, Exit.CONFLICT),
    (problems.ErpRefused, Exit.ERP),
    (problems.TooManyRequests, Exit.UNAVAILABLE),
    (problems.Unavailable, Exit.UNAVAILABLE),
)


def exit_of(problem: HubProblem) -> Exit:
    """The exit code for a problem."""
    return next((code for kind, code in _BY_PROBLEM if isinstance(problem, kind)), Exit.UNEXPECTED)
