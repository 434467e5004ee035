"""The description of this API, as it was built."""

from importlib.resources import files

from erphub.about import problems


def built_description() -> str:
    """The OpenAPI document that was built into this package. Raises Unavailable when the build left it out."""
    try:
        return files("erphub").joinpath("openapi.json").read_text("utf-8")
    except FileNotFoundError as error:
        raise problems.NOT_BUILT() from error
