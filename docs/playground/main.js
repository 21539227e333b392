// The page: two ways of translation, one configuration, and a link that carries the input.

import { makeEditor } from "./editor.js";
import { startEngine } from "./engine.js";
import { forget, fromFragment, toFragment } from "./permalink.js";
import { makeTabs } from "./tabs.js";
import { fillSamples, Way } from "./way.js";

const page = document.getElementById("playground");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const say = (text) => { part("status").textContent = text; };

const engine = startEngine(say);
const samples = await (await fetch(new URL("./samples.json", import.meta.url), { cache: "no-cache" })).json();
const { answer: facts } = await engine.ask("about").catch(() => new Promise(() => {})); // the status says why
part("versions").textContent = `statsig-segment ${facts.versions.library} on Python ${facts.versions.python}.`;

const config = makeEditor(part("config-editor"), {
  language: "toml",
  labelledby: "pg-config-title",
  onChange: (text) => {
    const at = samples.configs.findIndex((sample) => sample.text === text);
    part("configs").value = at < 0 ? "" : String(at);
    if (edited(current)) current.soon();
  },
});
fillSamples(part("configs"), samples.configs);
part("configs").addEventListener("change", () => { config.text = samples.configs[part("configs").value].text; });

const ways = {
  "pg-in": makeWay("pg-in", "inbound", samples.calls, {
    idle: "Point at a field of the event, or move among the fields with the arrow keys: its source lights up in the call, and its rule is told here.",
  }),
  "pg-out": makeWay("pg-out", "outbound", samples.exports, {
    idle: "Nothing is translated yet.",
    note: "The library explains single fields from Segment to Statsig only; on the way back, these rules made the whole.",
  }),
};
let current = ways["pg-in"];
let opening = true;

const tabs = makeTabs(page.querySelector("[role=tablist]"), (name) => {
  current = ways[name];
  current.part.config.append(document.getElementById("pg-config"));
  if (!opening) current.refresh();
});

function makeWay(id, question, itsSamples, texts) {
  return new Way(document.getElementById(id), {
    samples: itsSamples,
    rules: facts.rules,
    ...texts,
    ask: (...args) => engine.ask(question, ...args),
    readConfig: () => config.text,
    onAnswer: (_way, answer, text) => {
      say(text ?? summary(answer));
      if (answer) markConfig(answer.problems);
    },
    onLink: () => copyLink(),
    onEdit: edited,
  });
}

// Tells whether an edit is to be translated; from then on the address no longer tells what is in the page.
function edited(way) {
  if (!opening) forget();
  return !opening && way === current;
}

// A problem that the library places by line and column is marked there.
function markConfig(problems) {
  const found = problems.map(({ message }) => /at line (\d+), column \d+/.exec(message)).filter(Boolean);
  const lines = found.map(([, line]) => config.state.doc.line(Math.min(Number(line), config.state.doc.lines)));
  config.mark("issue", lines);
}

function summary({ problems, outcomes }) {
  if (problems.length) return `The configuration has ${count(problems.length, "problem")}.`;
  const kinds = Map.groupBy(outcomes, ({ kind }) => kind);
  const parts = [...kinds].map(([kind, each]) => ["skipped", "rejected"].includes(kind) ? `${each.length} ${kind}` : count(each.length, { audience: "change of an ID list" }[kind] ?? kind));
  const issues = outcomes.flatMap((outcome) => outcome.issues ?? []).length;
  return `${parts.join(", ") || "Nothing"}${issues ? `, with ${count(issues, "issue")}` : ""}.`;
}

function count(number, word) {
  return `${number} ${word}${number === 1 || word.includes(" ") ? "" : "s"}`;
}

async function copyLink() {
  const name = current.panel.id;
  const fragment = await toFragment({ way: name, text: current.editor.text, config: config.text, option: current.part.option.value });
  history.replaceState(null, "", fragment);
  try {
    await navigator.clipboard.writeText(location.href);
    say("Copied the link; it is in the address bar too.");
  } catch {
    say("The link is in the address bar.");
  }
}

async function open() {
  opening = true;
  const linked = await fromFragment(location.hash).catch(() => say("The link is broken, so the page opens with a sample."));
  if (linked && Object.hasOwn(ways, linked.way)) {
    config.text = String(linked.config);
    ways[linked.way].part.option.value = linked.option;
    ways[linked.way].editor.text = String(linked.text);
    tabs.show(linked.way);
  } else {
    tabs.show("pg-in");
  }
  await current.refresh();
  opening = false;
  page.dataset.ready = "true";
}

config.text = samples.configs[0].text;
ways["pg-in"].editor.text = samples.calls[0].text;
ways["pg-out"].editor.text = samples.exports[0].text;
window.addEventListener("hashchange", () => location.hash && open());
await open();
