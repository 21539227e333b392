// The page: two directions of translation, a preview, one configuration, and a link that carries the input.

import { makeEditor } from "./editor.js";
import { startEngine } from "./engine.js";
import { forget, fromFragment, toFragment } from "./permalink.js";
import { Preview } from "./preview.js";
import { recall, remember } from "./state.js";
import { makeTabs } from "./tabs.js";
import { fillSamples, Way } from "./way.js";

const page = document.getElementById("playground");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const say = (text) => { part("status").textContent = text; };
const IN = "pg-in";
const OUT = "pg-out";
const PREVIEW = "pg-preview";

const engine = startEngine(say);
const samples = await (await fetch(new URL("./samples.json", import.meta.url), { cache: "no-cache" })).json();
const { about, answer: firstAnswer } = samples.first; // what the library said of the first sample when the site was built

const config = makeEditor(part("config-editor"), {
  language: "toml",
  labelledby: "pg-config-title",
  onChange: (text) => {
    const index = samples.configs.findIndex((sample) => sample.text === text);
    part("configs").value = index < 0 ? "" : String(index);
    if (edited(current)) current.soon();
  },
});
fillSamples(part("configs"), samples.configs);
part("configs").addEventListener("change", () => { config.text = samples.configs[part("configs").value].text; });

const ways = {
  [IN]: makeWay(IN, "inbound", samples.calls, {
    idle: "Point at a field of the event, or move among the fields with the arrow keys: its source lights up in the call, and its rule is shown here.",
  }),
  [OUT]: makeWay(OUT, "outbound", samples.exports, {
    idle: "Point at a field of the call, or move among the fields with the arrow keys: its source lights up in the export, and its rule is shown here.",
  }),
  [PREVIEW]: new Preview(document.getElementById(PREVIEW), {
    sample: samples.archive,
    rules: about.rules,
    engine,
    readConfig: () => config.text,
    addMapping,
    onAnswer: (way, answer) => {
      if (way !== current) return;
      say(answer.problems.length ? summary(answer) : `${answer.read}: ${answer.translated}, ${answer.gains.length ? number(answer.gains.length, "mapping") : "no mapping"} would help.`);
      markConfig(answer.problems);
    },
    onSay: say,
    onEdit: edited,
  }),
};
let current = ways[IN];
let opening = true;

const tabs = makeTabs(page.querySelector("[role=tablist]"), (name) => {
  current = ways[name];
  current.part.config.append(document.getElementById("pg-config"));
  if (!opening) current.refresh();
});

function makeWay(id, question, itsSamples, texts) {
  return new Way(document.getElementById(id), {
    samples: itsSamples,
    rules: about.rules,
    ...texts,
    engine: { ask: engine.ask, question },
    readConfig: () => config.text,
    addMapping,
    onAnswer: (way, answer, counts) => {
      if (way !== current) return;
      say(answer.problems.length || counts ? summary(answer, counts) : "Counting.");
      markConfig(answer.problems);
    },
    onSay: say,
    onLink: () => copyLink(),
    onEdit: edited,
    onOther: moveToOther,
  });
}

// Says whether an edit is to be translated; from then on the address no longer says what is in the page. One's own input,
// in the place of what was there, starts from an empty configuration and not from that of the samples.
function edited(way, anew = false) {
  if (opening) return false;
  forget();
  if (anew && config.text === samples.configs[0].text) config.text = "";
  return way === current;
}

// Says whether the mapping is in the configuration now.
async function addMapping({ field, idType }) {
  const { answer: text } = await engine.ask("add_mapping", config.text, field, idType);
  if (text === null) say("The page cannot find where to add these lines. Please add them to the configuration yourself.");
  else {
    config.text = text;
    config.showEnd();
  }
  return text !== null;
}

// Input that is plainly the other direction's moves there; this side gets back what it began with.
function moveToOther(way) {
  if (opening) return false;
  const other = way === ways[IN] ? ways[OUT] : ways[IN];
  const text = way.editor.text;
  opening = true;
  way.editor.text = way.samples[0].text;
  other.editor.text = text;
  opening = false;
  tabs.show(other.panel.id);
  note = `This is ${other === ways[OUT] ? "a Statsig export" : "a Segment call"}, so the direction was switched. `;
  return true;
}
let note = "";

// A problem that the library places by line and column is marked there.
function markConfig(problems) {
  const found = problems.map(({ message }) => /at line (\d+), column \d+/.exec(message)).filter(Boolean);
  const lines = found.map(([, line]) => config.state.doc.line(Math.min(Number(line), config.state.doc.lines)));
  config.mark("issue", lines);
}

function summary({ problems }, counts) {
  if (problems.length) return `The configuration has ${number(problems.length, "problem")}.`;
  const { issue = 0, ...kinds } = counts;
  const parts = Object.entries(kinds).map(([kind, each]) => (["skipped", "rejected"].includes(kind) ? `${each} ${kind}` : number(each, { audience: "change of an ID list" }[kind] ?? kind)));
  const text = `${note}${parts.join(", ") || "Nothing"}${issue ? `, with ${number(issue, "issue")}` : ""}.`;
  note = "";
  return text;
}

function number(count, word) {
  return `${count} ${word}${count === 1 || word.includes(" ") ? "" : "s"}`;
}

function state() {
  const name = current.panel.id;
  return { way: name, text: current.text, config: config.text, option: current.option };
}

async function copyLink() {
  history.replaceState(null, "", await toFragment(state()));
  try {
    await navigator.clipboard.writeText(location.href);
    say("Copied the link; it is in the address bar too.");
  } catch {
    say("The link is in the address bar.");
  }
}

// Opens what a link carries, else what was here before in this tab, else the first sample.
async function open() {
  opening = true;
  const linked = await fromFragment(location.hash).catch(() => say("The link is broken, so the page opens with a sample."));
  const kept = linked ?? (page.dataset.ready ? null : recall());
  if (kept && Object.hasOwn(ways, kept.way)) {
    config.text = String(kept.config);
    ways[kept.way].option = kept.option;
    ways[kept.way].text = String(kept.text);
    tabs.show(kept.way);
  } else {
    tabs.show(IN);
    if (!page.dataset.ready) showFirst();
  }
  await current.refresh();
  opening = false;
  page.dataset.ready = "true";
}

function showFirst() {
  ways[IN].show(firstAnswer);
  say("Loading Python. The sample below was translated when this page was built.");
  page.dataset.shown = "true";
}

config.text = samples.configs[0].text;
ways[IN].editor.text = samples.calls[0].text;
ways[OUT].editor.text = samples.exports[0].text;
window.addEventListener("hashchange", () => location.hash && open());
window.addEventListener("pagehide", () => remember(state()));
document.addEventListener("visibilitychange", () => document.hidden && remember(state()));
await open();
const { answer: running } = await engine.ask("about");
part("versions").textContent = `statsig-segment ${running.versions.library} on Python ${running.versions.python}.`;
