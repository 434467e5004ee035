"""Whether a connection may use the areas of 24SevenOffice that it needs."""

from collections.abc import Callable

from erphub.platform.errors import CredentialsRefused, ErpRefused


def check_areas(trials: list[tuple[str, Callable[[], object]]]) -> str:
    """Try each area; all that are closed are told together. Raises ErpRefused, Unavailable, CredentialsRefused."""
    closed: list[str] = []
    for area, trial in trials:
        try:
            trial()
        except CredentialsRefused:
            raise
        except ErpRefused as error:
            if error.code != "permission_denied":
                raise
            closed.append(area)
    if closed:
        raise ErpRefused(
            f"24SevenOffice does not let this connection use: {', '.join(closed)}. Give it access there, then test"
            " again.",
            code="permission_denied",
        )
    return f"{len(trials)} areas can be used."
