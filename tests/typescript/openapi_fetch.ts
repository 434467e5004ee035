// A round trip with openapi-fetch on the types that openapi-typescript makes of the description.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi_fetch/schema.js";
import { required } from "./environment.js";

type Schemas = components["schemas"];

const hub = createClient<paths>({
  baseUrl: required("API"),
  headers: { Authorization: `Bearer ${required("TOKEN")}` },
});
const ours = { client_id: required("CLIENT") };
const documents = { ...ours, connection_id: required("CONNECTION"), external_id: "TS-2" };

const webhook: Schemas["CreateWebhook"] = { url: `https://${required("RECEIVER")}/hook`, events: ["import.failed"] };
for (const description of ["one", "two", "three"]) {
  const body = { ...webhook, description };
  const made = await hub.POST("/clients/{client_id}/webhooks", { params: { path: ours }, body });
  assert.equal(made.response.status, 201);
  assert.equal(made.data?.description, description);
}
const first = await hub.GET("/clients/{client_id}/webhooks", { params: { path: ours, query: { limit: 2 } } });
const next = first.data?.next ?? "";
const second = await hub.GET("/clients/{client_id}/webhooks", { params: { path: ours, query: { limit: 2, next } } });
assert.deepEqual([first.data?.items.length, second.data?.items.length, second.data?.next], [2, 1, null]);

const settlement: Schemas["SettlementDocument"] = {
  date: "2026-03-06",
  number: 312,
  department: "Storgata",
  till: "1",
  sales: [{ vat_rate: "25", amount: "1250.00", vat: "250.00" }],
  payments: [{ means: "cash", amount: "1250.00" }],
};
const invoice: Schemas["InvoiceDocument"] = {
  date: "2026-03-06",
  number: "F-1018",
  customer_id: "TS-2",
  lines: [{ description: "Coffee beans", quantity: "2", unit_price: "149.0000", vat_rate: "15" }],
};
const customer: Schemas["CustomerDocument"] = { name: "Kystkaffe AS" };
const product: Schemas["ProductDocument"] = { number: "P-21", name: "Coffee beans, 250 g", price: "149.00", vat_rate: "15" };
const address = "/clients/{client_id}/connections/{connection_id}/documents/{kind}/{external_id}";
for (const [kind, body] of Object.entries({ customer, product, invoice, settlement })) {
  const params = { path: { ...documents, kind } };
  const submitted = await hub.PUT(address, { params, body });
  assert.equal(submitted.response.status, 200, JSON.stringify(submitted.error));
  const found = await hub.GET(address, { params });
  assert.deepEqual([found.data?.kind, found.data?.external_id], [kind, "TS-2"]);
}

const wizard = await hub.POST("/clients/{client_id}/wizards", { params: { path: ours }, body: { erp_system: "visma-business" } });
const answered = await hub.PUT("/clients/{client_id}/wizards/{wizard_id}/steps/{step_id}", {
  params: { path: { ...ours, wizard_id: wizard.data?.id ?? "", step_id: "server" } },
  body: { server: "db01.example.com", login: "reader", password: "the login's password" },
});
assert.equal(answered.response.status, 202);

const refused = await hub.POST("/customers/{customer_id}/clients", {
  params: { path: { customer_id: required("CUSTOMER") } },
  body: { name: " " },
});
assert.equal(refused.data, undefined);
assert.equal(refused.error?.status, 422);
assert.equal(refused.error.errors?.[0]?.pointer, "/name");
const missing = await hub.GET("/clients/{client_id}/webhooks/{webhook_id}", {
  params: { path: { ...ours, webhook_id: "01JCG0W1ZARD0000000000000A" } },
});
assert.deepEqual([missing.error?.status, missing.error?.code], [404, "webhook_not_found"]);
console.log("round trip done");
