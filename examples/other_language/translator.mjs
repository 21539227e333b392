// Answers two operations of the test vectors, and says of all others that it does not support them yet.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createInterface } from "node:readline";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const decoded = (base64) => Buffer.from(base64, "base64");

// The input of a case as JSON text, whichever of the four keys holds it.
function text(asked) {
  if ("input" in asked) return JSON.stringify(asked.input);
  if ("input_parts" in asked) return asked.input_parts.map(({ text, times = 1 }) => text.repeat(times)).join("");
  return asked.input_text ?? utf8.decode(decoded(asked.input_base64));
}

function handshake(asked) {
  try {
    const { eventName, data } = JSON.parse(text(asked));
    const isHandshake = eventName === undefined && data?.event === "url_verification";
    return { code: isHandshake ? (data.verification_code ?? null) : null };
  } catch {
    return { code: null };
  }
}

function signature(asked) {
  const { body, body_base64, timestamp, signature, secret, now_ms: now, tolerance_ms: tolerance } = JSON.parse(text(asked));
  const areTexts = [timestamp, signature, secret].every((given) => typeof given === "string") && secret !== "";
  const areNumbers = [now, tolerance].every((given) => given === undefined || Number.isInteger(given));
  if (!areTexts || !areNumbers) return { error: {} };
  const signed = createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body ?? decoded(body_base64));
  const [expected, told] = [`v0=${signed.digest("hex")}`, signature].map((given) => Buffer.from(given));
  const isSame = expected.length === told.length && timingSafeEqual(expected, told);
  const isTimed = now !== undefined && tolerance !== undefined;
  const isFresh = !isTimed || (/^\d+$/.test(timestamp) && Math.abs(now - timestamp) <= tolerance);
  return isSame && isFresh ? { valid: true } : { error: {} };
}

const operations = { url_verification_code: handshake, verify_statsig_signature: signature };

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const operation = operations[asked.operation];
  console.log(JSON.stringify({ id: asked.id, ...(operation ? { answer: operation(asked) } : { unsupported: true }) }));
}
