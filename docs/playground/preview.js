// The Preview tab: a file of calls, counted in the worker, and what a mapping would add; a click adds it to the configuration.

import { h } from "./dom.js";
import { problems } from "./result.js";
import { chip } from "./rules.js";

const MOST_MB = 20;
const MB = 1_000_000;
const EDITABLE = 100_000; // characters of a pasted text that the box shows; longer ones are kept beside it
const EVENTS = 10; // are shown at once
const PAUSE_MS = 400;
const KINDS = { missing: "no longer sent", extra: "new", different: "different" };
const OUTCOMES = { event: "Events", audience: "Audience updates", skipped: "Skipped", rejected: "Rejected" };

export class Preview {
  constructor(panel, { sample, rules, engine, readConfig, addMapping, onAnswer, onSay, onEdit }) {
    Object.assign(this, { panel, sample, rules, engine, readConfig, addMapping, onAnswer, onSay, onEdit });
    this.part = Object.fromEntries([...panel.querySelectorAll("[data-part]")].map((each) => [each.dataset.part, each]));
    this.part.choose.addEventListener("click", () => this.part.file.click());
    this.part.file.addEventListener("change", () => this.takeFile(this.part.file.files[0]));
    this.part.example.addEventListener("click", () => this.takeSample());
    this.part.save.addEventListener("click", () => this.save());
    this.part.keep.addEventListener("click", () => this.keep());
    this.part.text.addEventListener("input", () => this.typed());
    panel.addEventListener("paste", (event) => this.pasted(event));
    panel.addEventListener("dragover", (event) => this.dragged(event, true));
    panel.addEventListener("dragleave", (event) => this.dragged(event, panel.contains(event.relatedTarget)));
    panel.addEventListener("drop", (event) => this.dropped(event));
    this.take(new Blob([sample]), "The sample calls");
  }

  // -- Where calls come from ------------------------------------------------------------------------------------------

  get text() { return this.part.text.value; }

  set text(text) {
    this.part.text.value = text;
    if (text) this.take(new Blob([text]), "The text in the box");
    else this.take(new Blob([this.sample]), "The sample calls");
  }

  take(blob, name) {
    Object.assign(this, { blob, name });
    this.part.name.textContent = `${name}, ${size(blob.size)}`;
  }

  takeSample() {
    this.text = "";
    this.edited(0, false);
  }

  takeFile(file) {
    this.part.file.value = ""; // so that the same file can be chosen again
    if (!file) return;
    this.part.text.value = "";
    this.take(file, file.name);
    this.edited();
  }

  typed() {
    this.text = this.part.text.value;
    this.edited(PAUSE_MS);
  }

  // Only the box takes text as it is pasted; a long one would take it seconds to lay out.
  pasted(event) {
    if (event.target.closest(".cm-editor")) return;
    const [file] = event.clipboardData.files;
    const text = event.clipboardData.getData("text/plain");
    if (!file && text.length <= EDITABLE && event.target === this.part.text) return;
    event.preventDefault();
    if (file) this.takeFile(file);
    else if (text.length <= EDITABLE) { this.text = text; this.edited(); }
    else this.takeFile(new File([text], "The pasted text"));
  }

  dragged(event, inside) {
    event.preventDefault();
    this.panel.classList.toggle("pg-dropping", inside);
  }

  dropped(event) {
    this.dragged(event, false);
    const [file] = event.dataTransfer.files;
    if (file) this.takeFile(file);
    else { this.text = event.dataTransfer.getData("text/plain"); this.edited(); }
  }

  edited(pause = 0, anew = true) {
    if (this.onEdit(this, anew)) this.soon(pause);
  }

  // -- Counting -------------------------------------------------------------------------------------------------------

  soon(pause = PAUSE_MS) {
    clearTimeout(this.timer);
    this.setBusy(true);
    this.timer = setTimeout(() => this.refresh(), pause);
  }

  // A newer count ends an older one, whose answer is then null.
  async refresh() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.blob.size > MOST_MB * MB) {
      this.refuse();
      return;
    }
    this.setBusy(true);
    this.part.progress.value = 0;
    this.onSay(`Counting ${size(this.blob.size)}.`);
    const follow = (share) => { this.part.progress.value = share; };
    try {
      const { answer, ms } = await this.engine.askLong(follow, "preview", this.blob, this.readConfig(), this.before);
      if (answer === null || this.timer) return;
      this.show(answer, ms);
      this.onAnswer(this, answer);
    } catch (error) {
      this.onSay(`The library failed with ${error.message}. Please report the input that did this.`);
    }
    if (!this.timer) this.setBusy(false);
  }

  setBusy(busy) {
    this.part.result.setAttribute("aria-busy", String(busy));
    this.part.progress.hidden = !busy;
  }

  refuse() {
    const text = `The page reads files up to ${MOST_MB} MB, and this one has ${size(this.blob.size)}.`;
    this.part.result.replaceChildren(section("Too large for a page",
      h("p", {}, text, " The command line has no limit: ", h("code", {}, "statsig-segment preview FILE"))));
    this.part.timing.textContent = "";
    this.part.save.hidden = true;
    this.onSay(text);
    this.setBusy(false);
  }

  show(answer, ms) {
    this.part.timing.textContent = `in ${ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}`;
    this.broken = answer.problems.length > 0;
    this.part.save.hidden = this.broken;
    if (this.broken) {
      this.part.result.replaceChildren(problems(answer.problems, { rules: this.rules }));
      return;
    }
    this.part.result.replaceChildren(...[
      notes(answer), outcomes(answer), change(answer), units(answer), gains(answer, (gain, button) => this.add(gain, button)), events(answer),
      libraries(answer), mappings(answer), consent(answer),
      answer.reasons.length ? section("Why calls were skipped or rejected", codes(answer.reasons, this.rules)) : null,
      answer.issues.length ? folded("Issues in calls that went through", codes(answer.issues, this.rules)) : null,
    ].filter(Boolean));
    if (this.keepFocus) (this.part.result.querySelector(".pg-add") ?? this.part.save).focus({ preventScroll: true });
    this.keepFocus = false;
  }

  // The button goes with the row that it adds; who pressed it goes on with the next one.
  async add(gain, button) {
    const focused = document.activeElement === button;
    button.disabled = true;
    this.keepFocus = await this.addMapping(gain) && focused;
  }

  // Keeps the configuration as it is now; from then on the page shows what edits of it change. A second press ends that.
  keep() {
    if (this.broken) return this.onSay("A configuration with problems cannot be compared with another.");
    this.before = this.before === undefined ? this.readConfig() : undefined;
    this.part.keep.textContent = this.before === undefined ? "Compare with this configuration" : "Stop comparing";
    return this.soon(0);
  }

  async save() {
    const { answer: html } = await this.engine.ask("page");
    const link = h("a", { href: URL.createObjectURL(new Blob([html], { type: "text/html" })), download: "segment-preview.html" });
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

// -- Drawing ------------------------------------------------------------------------------------------------------------

const count = (number) => number.toLocaleString("en-US");

function size(bytes) {
  return bytes < MB / 10 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / MB).toFixed(1)} MB`;
}

function section(title, ...content) {
  return h("section", { class: "pg-section" }, h("h3", {}, title), ...content);
}

function change({ change: found, read }) {
  if (!found) return null;
  const { changed, started, stopped, same } = found.counts;
  const title = "What your edits of the configuration change";
  if (!changed && !started && !stopped) return section(title, h("p", {}, `Nothing so far, for ${read}.`));
  const said = `Of ${read}, ${count(changed)} change, ${count(started)} start and ${count(stopped)} stop being sent; ${count(same)} stay the same.`;
  const heads = ["Changed", "Started", "Stopped"];
  const head = h("thead", {}, h("tr", {}, ...["Name", ...heads].map((text) => h("th", { scope: "col" }, text))));
  const body = found.events.map((row) => h("tr", {}, h("th", { scope: "row" }, h(row.isName ? "bdi" : "em", {}, row.label)),
    ...row.counts.map((each, index) => h("td", { "data-label": heads[index] }, count(each)))));
  const paths = found.paths.map((path) => h("li", {}, `${count(path.count)} ${KINDS[path.kind]} at `, h("code", {}, path.path)));
  return section(title, h("p", {}, said), h("table", { class: "pg-events" }, head, h("tbody", {}, ...body)),
    ...(found.more ? [h("p", {}, `and ${count(found.more)} more events`)] : []), ...(paths.length ? [h("ul", {}, ...paths)] : []));
}

function folded(title, ...content) {
  return h("details", { class: "pg-section" }, h("summary", {}, title), ...content);
}

function notes({ failure, other }) {
  const said = [failure ? `The input cannot be read to its end: ${failure}.` : null, other].filter(Boolean);
  return said.length ? section("Please note", ...said.map((text) => h("p", {}, text))) : null;
}

function outcomes({ read, span, outcomes: counts }) {
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const figures = Object.entries(counts).map(([kind, each]) =>
    h("li", {}, h("i", { class: `pg-swatch ${kind}` }), OUTCOMES[kind], h("strong", {}, count(each))));
  const bar = Object.entries(counts).filter(([, each]) => each).map(([kind, each]) => part(kind, each / total));
  const stack = h("div", { class: "pg-track pg-stack", "aria-hidden": "true" }, ...bar);
  return section(read, h("ul", { class: "pg-figures" }, ...figures), stack, h("p", { class: "pg-idle" }, span));
}

const part = (kind, share) => h("span", { class: kind, style: `width: ${(100 * share).toFixed(2)}%` });

const track = (share) => h("span", { class: "pg-track", "aria-hidden": "true" }, part("event", share));

function unitList(rows) {
  return h("ul", { class: "pg-units" }, ...rows.map((row) =>
    h("li", {}, h("bdi", {}, row.name), " ", track(row.share), h("strong", {}, row.percent))));
}

function units({ translated, units: rows }) {
  return rows.length ? section("Units that experiments could use", h("p", { class: "pg-idle" }, `The share of the ${translated} that have each ID.`), unitList(rows)) : null;
}

function gains({ gains: rows }, add) {
  if (!rows.length) return null;
  return section("What would help", ...rows.map((gain) => {
    const button = h("button", { type: "button", class: "pg-add", onclick: () => add(gain, button) }, "Add this mapping and count again");
    return h("div", { class: "pg-gain" },
      h("p", {}, "Mapping ", h("code", {}, gain.field), " to ", h("code", {}, gain.idType), ` ${gain.effect}.`),
      h("pre", { tabindex: "0" }, gain.lines), button);
  }));
}

function events({ events: rows }) {
  if (!rows.length) return null;
  const heads = ["Name", "Type", "Calls", "Events", "Not sent", "Events with each ID"];
  const body = h("tbody");
  const more = h("button", { type: "button", class: "pg-small" });
  const grow = () => {
    body.append(...rows.slice(body.rows.length, body.rows.length + EVENTS).map(eventRow));
    const left = rows.length - body.rows.length;
    more.textContent = `Show ${Math.min(left, EVENTS)} of ${count(left)} more`;
    more.hidden = left === 0;
  };
  more.addEventListener("click", grow);
  grow();
  const head = h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text))));
  return section("Events", h("table", { class: "pg-events" }, head, body), more);
}

function eventRow(row) {
  const name = h(row.isName ? "bdi" : "em", {}, row.label);
  const cell = (label, ...content) => h("td", { "data-label": label }, ...content);
  return h("tr", {}, h("th", { scope: "row" }, name), cell("Type", row.type), cell("Calls", count(row.calls)),
    cell("Events", count(row.events)), cell("Not sent", count(row.unsent)), cell("With each ID", row.units.length ? unitList(row.units) : "–"));
}

function libraries({ libraries: rows }) {
  if (!rows.length) return null;
  const head = h("thead", {}, h("tr", {}, ...["Name", "Events", "Events with each ID"].map((text) => h("th", { scope: "col" }, text))));
  const body = rows.map((row) => h("tr", {}, h("th", { scope: "row" }, h(row.isName ? "bdi" : "em", {}, row.label)),
    h("td", { "data-label": "Events" }, count(row.events)), h("td", { "data-label": "With each ID" }, unitList(row.units))));
  return section("Client libraries", h("table", { class: "pg-events" }, head, h("tbody", {}, ...body)));
}

function mappings({ mappings: rows }) {
  if (!rows.length) return null;
  return section("What your ID mappings did", h("ul", {}, ...rows.map((row) =>
    h("li", {}, h("code", {}, row.field), " to ", h("code", {}, row.idType), ` ${row.effect}`))));
}

function consent({ consent: rows, consentNote }) {
  if (!rows.length) return null;
  const list = h("ul", {}, ...rows.map((row) =>
    h("li", {}, h("bdi", {}, row.name || "All other categories"), `: given ${count(row.given)}, refused ${count(row.refused)}`)));
  return section("Consent", list, ...(consentNote ? [h("p", {}, consentNote)] : []));
}

function codes(rows, rules) {
  return h("dl", { class: "pg-reason" }, ...rows.flatMap((row) => [
    h("dt", {}, `${count(row.count)} `, h("code", {}, row.code), " ", ...row.rules.map((id) => chip(rules[id]))),
    h("dd", {}, `${sentence(row.message)} `, h("span", { class: "pg-idle" }, row.hint)),
  ]));
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
