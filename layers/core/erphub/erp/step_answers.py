"""What wizards' steps may be answered with, for the API's description."""

import re
from collections.abc import Mapping

from erphub.erp.catalogue import catalogue
from erphub.erp.description import Json
from erphub.erp.forms import answer_schema


def answers_by_name() -> Mapping[str, Json]:
    """The schemas of all answers by their names in the description: one for each ERP system and step."""
    return {
        f"{_in_capitals(step.id)}AnswerOf{_in_capitals(system.id)}": answer_schema(step)
        | {"description": f"{system.title}, {step.title}. {step.help}"}
        for system in catalogue()
        for step in system.steps
    }


def _in_capitals(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[^0-9A-Za-z]+", name))
