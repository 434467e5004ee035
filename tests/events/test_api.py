"""Notifications through the API: who reads them, and who says that they see to it."""

from tests.wizards.test_service import Wizard


def test_people_read_what_happened_and_say_that_they_see_to_it(hub):
    connection = hub.in_client(f"/connections/{Wizard(hub).until('finish').get()['connection_id']}")
    hub.call("POST", f"{connection}/pause")
    listed = hub.call("GET", hub.in_client("/notifications"), user="viewer").json["items"]
    assert [(one["type"], one["level"]) for one in listed] == [("connection.paused", "info")]
    assert listed[0]["detail"].startswith("Main office")
    path = hub.in_client(f"/notifications/{listed[0]['id']}/acknowledge")
    assert hub.call("POST", path, user="viewer").code == "permission_missing"
    assert hub.call("POST", path).json["acknowledged_by"]["name"] == "administrator@example.test"
    assert hub.call("GET", hub.in_client("/notifications"), query={"only_unacknowledged": "true"}).json["items"] == []
    neighbour = f"/clients/{hub.other_client}/notifications"
    assert hub.call("GET", neighbour, user="neighbour").json["items"] == []
    foreign = hub.call("POST", f"{neighbour}/{listed[0]['id']}/acknowledge", user="neighbour")
    assert (foreign.status, foreign.code) == (404, "notification_not_found")
