"""Figures of the packages are those of the code."""

from local import package_figures
from local.source_modules import Module


def module(name: str, text: str) -> Module:
    return Module(name, False, text, text.splitlines())


def test_modules_arrows_and_lines_are_counted():
    counted = dict(
        package_figures.figures(
            [
                module("erphub.a.service", '"""What a is\nfor."""\n\nfrom erphub.b import models\nimport json\n'),
                module("erphub.a.api", "from erphub.b.models import B\nfrom erphub.a import service\n"),
                module("erphub.b.models", "# Bs.\nclass B: ...\n"),
            ]
        )
    )
    assert counted == {
        "packages and modules directly below erphub": "2",
        "modules": "3",
        "arrows between packages": "1",
        "longest module": "erphub.a.service, 5 lines",
        "lines": "9: 5 of code, 3 of comments and docstrings, 1 blank",
        "lines of a": "7",
        "lines of b": "2",
    }
