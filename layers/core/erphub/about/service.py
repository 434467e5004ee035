"""The description of this API, as it was built."""

from importlib.resources import files

from erphub.platform.errors import Unavailable


def built_description() -> str:
    """The OpenAPI document that was built into this package. Raises Unavailable when the build left it out."""
    try:
        return files("erphub").joinpath("openapi.json").read_text("utf-8")
    except FileNotFoundError as error:
        raise Unavailable("This installation was built without its description.", code="not_built") from error
