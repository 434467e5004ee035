// A round trip with what @hey-api/openapi-ts makes of the description: pages, documents, a wizard, a problem.
import assert from "node:assert/strict";
import { createClient } from "./hey_api/client/index.js";
import * as hub from "./hey_api/sdk.gen.js";
import type { CreateWebhook, CustomerDocument, InvoiceDocument, ProductDocument, SettlementDocument } from "./hey_api/types.gen.js";
import { required } from "./environment.js";

const client = createClient({ baseUrl: required("API"), auth: () => required("TOKEN") });
const ours = { client_id: required("CLIENT") };
const documents = { ...ours, connection_id: required("CONNECTION"), external_id: "TS-1" };

const webhook: CreateWebhook = { url: `https://${required("RECEIVER")}/hook`, events: ["import.failed"] };
for (const description of ["one", "two", "three"]) {
  const made = await hub.createWebhook({ client, path: ours, body: { ...webhook, description }, throwOnError: true });
  assert.equal(made.response.status, 201);
  assert.equal(made.data.description, description);
}
const first = await hub.listWebhooks({ client, path: ours, query: { limit: 2 }, throwOnError: true });
const second = await hub.listWebhooks({ client, path: ours, query: { limit: 2, next: first.data.next ?? "" }, throwOnError: true });
assert.deepEqual([first.data.items.length, second.data.items.length, second.data.next], [2, 1, null]);

const settlement: SettlementDocument = {
  date: "2026-03-05",
  number: 311,
  department: "Storgata",
  till: "1",
  sales: [{ vat_rate: "25", amount: "1250.00", vat: "250.00" }],
  payments: [{ means: "cash", amount: "1250.00" }],
};
const invoice: InvoiceDocument = {
  date: "2026-03-05",
  number: "F-1017",
  customer_id: "TS-1",
  lines: [{ description: "Coffee beans", quantity: "2", unit_price: "149.0000", vat_rate: "15" }],
};
const customer: CustomerDocument = { name: "Kystkaffe AS" };
const product: ProductDocument = { number: "P-20", name: "Coffee beans, 250 g", price: "149.00", vat_rate: "15" };
for (const [kind, body] of Object.entries({ customer, product, invoice, settlement })) {
  const path = { ...documents, kind };
  const submitted = await hub.submitDocument({ client, path, body, throwOnError: true });
  assert.equal(submitted.response.status, 200);
  const found = await hub.getDocument({ client, path, throwOnError: true });
  assert.deepEqual([found.data.kind, found.data.external_id], [kind, "TS-1"]);
}

const wizard = await hub.startWizard({ client, path: ours, body: { erp_system: "visma-business" }, throwOnError: true });
const server = { server: "db01.example.com", login: "reader", password: "the login's password" };
const path = { ...ours, wizard_id: wizard.data.id, step_id: "server" };
const answered = await hub.answerStep({ client, path, body: server, throwOnError: true });
assert.equal(answered.response.status, 202);

const refused = await hub.createClient({ client, path: { customer_id: required("CUSTOMER") }, body: { name: " " } });
assert.equal(refused.data, undefined);
assert.equal(refused.error?.status, 422);
assert.equal(refused.error.errors?.[0]?.pointer, "/name");
const missing = await hub.getWebhook({ client, path: { ...ours, webhook_id: "01JCG0W1ZARD0000000000000A" } });
assert.deepEqual([missing.error?.status, missing.error?.code], [404, "webhook_not_found"]);
console.log("round trip done");
