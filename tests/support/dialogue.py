"""A wizard in the hands of a user, through the API of the fixture `hub`."""

SERVER = {"server": "db01.example.test", "login": "reader", "password": "right", "encryption": "trust"}
OTHER_SERVER = SERVER | {"server": "db02.example.test"}


class Wizard:
    """A wizard in the hands of a user."""

    def __init__(self, hub, system="visma-business"):
        self.hub = hub
        made = hub.call("POST", hub.in_client("/wizards"), {"erp_system": system})
        assert made.status == 201, made.text
        self.id = made.json["id"]
        self.path = hub.in_client(f"/wizards/{self.id}")

    def put(self, step, body, **more):
        return self.hub.call("PUT", f"{self.path}/steps/{step}", body, **more)

    def answer(self, step, body):
        answered = self.put(step, body)
        assert answered.status == 202, answered.text
        return self.get()

    def get(self):
        return self.hub.call("GET", self.path).json

    def state(self):
        return {step["id"]: step["status"] for step in self.get()["steps"]}

    def until(self, last):
        answers = {
            "server": SERVER,
            "companies": {"companies": ["F0001"]},
            "name": {"name": "Main office"},
            "vouchers": {"voucher_provider": "none"},
            "finish": {},
        }
        for step, body in answers.items():
            self.answer(step, body)
            if step == last:
                break
        return self

    def companies(self, **query):
        return self.hub.call("GET", f"{self.path}/companies", query=query)
