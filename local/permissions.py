"""Who may call which route, as a list to review: a right that changes shows in the diff of the list."""

from erphub import capabilities, openapi
from erphub.platform.capability import Permission
from erphub.platform.http.router import Route


def text() -> str:
    """A line for each route: method, path, what it needs, and the built-in roles that have it."""
    lines = [_line(route) for route in sorted(openapi.routes(), key=lambda route: (route.path, route.method))]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    rows = ("  ".join([*map(str.ljust, line[:3], widths), line[3]]).rstrip() for line in lines)
    return "\n".join(rows) + "\n"


def _line(route: Route) -> tuple[str, str, str, str]:
    roles = sorted(name for name, allowed in capabilities.built_in_roles().items() if route.needs in allowed)
    return route.method, route.path, str(route.needs), ", ".join(roles) if isinstance(route.needs, Permission) else "-"
