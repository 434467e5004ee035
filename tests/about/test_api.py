"""What a code of an error means can be asked of the hub itself, by anybody."""

from tests.support.hub import Hub


def test_every_code_is_explained_page_by_page(hub: Hub) -> None:
    found, query = [], {"limit": "200"}
    while query is not None:
        page = hub.call("GET", "/problems", user=None, query=query).json
        found += page["items"]
        query = {"limit": "200", "next": page["next"]} if page["next"] else None
    codes = [one["code"] for one in found]
    assert codes == sorted(set(codes))
    assert len(codes) > 300
    assert all(one["title"] and one["sentences"] for one in found)


def test_a_code_is_explained_with_its_status_its_sentences_and_what_to_do(hub: Hub) -> None:
    answer = hub.call("GET", "/problems/company_connected", user=None)
    assert answer.status == 200
    assert answer.json == {
        "code": "company_connected",
        "title": "Company connected",
        "statuses": [409],
        "is_of_field": False,
        "fields": [],
        "sentences": ["Another connection of your customer already has {names}."],
        "what_to_do": [
            "Use that connection (its documents go to several companies by locations in its sync's settings), edit it"
            " so that it no longer has the company, ask its owner for access, or choose other companies."
        ],
        "members": ["companies"],
    }


def test_what_is_no_code_is_not_found(hub: Hub) -> None:
    answer = hub.call("GET", "/problems/no_such_thing", user=None)
    assert (answer.status, answer.code) == (404, "problem_not_found")


def test_the_type_of_a_problem_leads_to_its_explanation(hub: Hub) -> None:
    refused = hub.call("GET", "/customers/01ARZ3NDEKTSV4RRFFQ69G5FAV/roles")
    explained = hub.call("GET", refused.json["type"], user=None)
    assert (explained.status, explained.json["code"]) == (200, refused.code)
    assert refused.status in explained.json["statuses"]
    assert refused.json["title"] == explained.json["title"]
