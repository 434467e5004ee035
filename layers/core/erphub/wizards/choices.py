"""What a connection chooses in its ERP: its companies, and what it is limited to in them (departments, …).

The latter is listed company by company, chosen, kept up to date. A company of whose choices none is named is not
limited: it has none, or has got its first since. So what is found is chosen from only where a company has several; of
one it is that one.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from erphub.erp.description import Description, Field, Step
from erphub.erp.system import FoundChoice, FoundCompany, ListsOptions
from erphub.platform.errors import ErpRefused, FieldError, Invalid
from erphub.wizards import problems

ALL = "all"
MAX_COMPANIES = 50
"""Of more companies nobody chooses one by one, and to ask the ERP for each would take longer than a task may."""


def listed_steps(description: Description) -> Sequence[Step]:
    """The steps whose answers are chosen from what the ERP lists for the companies in use."""
    return [step for step in description.steps if step.listed]


def steps_listed_by_server(description: Description) -> tuple[str, ...]:
    """The steps whose answers were chosen from what the server showed; another one is asked about them again."""
    return tuple(step.id for step in description.steps if step.depends_on_server or step.listed)


def check_companies(found: Sequence[FoundCompany], choice: object) -> None:
    """Whether the companies chosen were found and can be opened. Raises Invalid."""
    by_key = {company.key: company for company in found}
    if not isinstance(choice, list):
        if all(company.problem for company in found):
            raise Invalid.of(problems.NO_COMPANY("/companies"))
        return
    errors: list[FieldError] = []
    for index, key in enumerate(choice):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        company = by_key.get(str(key))  # pyright: ignore[reportUnknownArgumentType]
        if company is None:
            errors.append(problems.COMPANY_UNKNOWN(f"/companies/{index}"))
        elif company.problem:
            errors.append(problems.COMPANY_NOT_ACCESSIBLE(f"/companies/{index}", problem=company.problem))
    if errors:
        raise problems.COMPANIES_NOT_USABLE(errors=errors)


def selected_companies(found: Sequence[FoundCompany], choice: object) -> list[FoundCompany]:
    """The companies found that a choice means: those with its keys, or every one that can be opened."""
    able = [company for company in found if not company.problem]
    return [company for company in able if company.key in choice] if isinstance(choice, list) else able


def load_choices(
    system: ListsOptions, field: Field, companies: Sequence[FoundCompany]
) -> tuple[Sequence[FoundChoice], ErpRefused | None]:
    """What a field can be chosen from in all the companies, and why one of them would not say. Raises Unavailable."""
    refused: ErpRefused | None = None
    found: dict[str, FoundChoice] = {}
    for company in companies if len(companies) <= MAX_COMPANIES else ():
        try:
            found |= {choice.key: choice for choice in system.choices(field.name, company)}
        except ErpRefused as error:
            refused = error
    return list(found.values()), refused


def check_choice(field: Field, answer: object, found: Sequence[FoundChoice]) -> object:
    """The answer with what needs no choosing: the only choice of a company. Raises Invalid with all that is wrong."""
    if not isinstance(answer, list):
        return answer
    keys = _keys(cast(list[object], answer))
    errors = list(_problems(field, keys, found))
    if errors:
        raise problems.CHOICES_NOT_USABLE(errors=errors)
    return list(dict.fromkeys([*keys, *_only_choices(found)]))


def resolve_choice(
    field: Field, answer: object, found: Sequence[FoundChoice], companies: Sequence[FoundCompany]
) -> object | None:
    """The answer as far as nobody need be asked: the one given while it fits, or the only one there is; else None."""
    if len(companies) > MAX_COMPANIES:
        return answer or ALL
    if isinstance(answer, list):
        used = tuple(f"{company.key}/" for company in companies)
        kept = [key for key in _keys(cast(list[object], answer)) if key.startswith(used)]
        answer = kept if kept and not list(_problems(field, kept, found)) else None
    if answer:
        return check_choice(field, answer, found)
    only = _only_choices(found)
    return (only or ALL) if len(only) == len(_by_company(found)) else None


def _keys(answer: Sequence[object]) -> list[str]:
    return [str(key) for key in answer]


def _only_choices(found: Sequence[FoundChoice]) -> list[str]:
    """What needs no choosing: the only choice of each company that has but one."""
    return [choices[0].key for choices in _by_company(found).values() if len(choices) == 1]


def _problems(field: Field, keys: Sequence[str], found: Sequence[FoundChoice]) -> Iterator[FieldError]:
    known = {choice.key for choice in found}
    for index, key in enumerate(keys):
        if key not in known:
            yield problems.CHOICE_UNKNOWN(f"/{field.name}/{index}")
    for company, choices in _by_company(found).items():
        if len(choices) > 1 and not any(key.startswith(f"{company}/") for key in keys):
            yield problems.CHOICE_REQUIRED(f"/{field.name}", company_name=choices[0].company_name, count=len(choices))


def _by_company(found: Sequence[FoundChoice]) -> Mapping[str, list[FoundChoice]]:
    companies: dict[str, list[FoundChoice]] = {}
    for choice in found:
        companies.setdefault(choice.company, []).append(choice)
    return companies


def without_choices(description: Description, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without what is chosen from the ERP's lists: for when just that may have changed."""
    chosen = {field.name for step in listed_steps(description) for field in step.listed}
    return {name: value for name, value in settings.items() if name not in chosen}
