"""What a mapping could begin with: fields of both sides that have the same name, without a direction yet."""

from collections.abc import Sequence

from erphub.links.mappings.models import FieldPair, FieldsOfBothSides


def propose(sides: FieldsOfBothSides, mapped: Sequence[FieldPair]) -> list[FieldPair]:
    """Pairs of fields that nothing is mapped to yet. Which way they go, a person says."""
    crm_taken, erp_taken = {pair.crm_field for pair in mapped}, {pair.erp_field for pair in mapped}
    free = {field.key for field in sides.crm} - crm_taken
    return [
        FieldPair(crm_field=field.key, erp_field=field.key, show_in_search=field.is_searchable and field.key == "NAME")
        for field in sides.erp
        if field.key in free and field.key not in erp_taken
    ]
