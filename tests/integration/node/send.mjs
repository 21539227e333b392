// Makes the calls that stand in JSON on the standard input with Segment's own client, and waits until they are sent.
import { readFileSync } from "node:fs";
import { Analytics } from "@segment/analytics-node";

const job = JSON.parse(readFileSync(0, "utf8"));
const failed = [];
const analytics = new Analytics({ writeKey: job.write_key, host: job.host, flushAt: job.upload_size, flushInterval: 100 });
analytics.on("error", (error) => failed.push(String(error.reason ?? error.code)));
for (const { method, fields } of job.calls) {
  const { timestamp, ...rest } = fields;
  analytics[method]({ ...rest, ...(timestamp ? { timestamp: new Date(timestamp) } : {}) });
}
await analytics.closeAndFlush({ timeout: 30_000 });
console.log(JSON.stringify({ failed, version: analytics.VERSION }));
