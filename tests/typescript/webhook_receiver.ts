// A receiver of webhooks as a user would write it with the published library: answers 204 to what it verifies and 401 to the rest.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { required } from "./environment.js";

const pem = readFileSync(required("CERTIFICATE"));

function verified(headers: Record<string, string>, body: Buffer): { status: number; type: string } {
  const secret = readFileSync(required("SECRET_FILE"), "utf8");
  try {
    const message = new Webhook(secret).verify(body, headers) as { type: string };
    return { status: 204, type: message.type };
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return { status: 401, type: error.message };
  }
}

const server = createServer({ key: pem, cert: pem }, (request, answer) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const found = verified(request.headers as Record<string, string>, Buffer.concat(parts));
    console.log(`${found.status} ${found.type}`);
    answer.writeHead(found.status).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.stdin.on("end", () => process.exit()).resume();
