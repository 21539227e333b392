// One direction of translation: its input, its samples and options, and its result. The other one works alike.

import { h } from "./dom.js";
import { makeEditor } from "./editor.js";
import { placeAt, placeOf } from "./paths.js";
import { draw } from "./result.js";
import { drawWhy } from "./why.js";

const PAUSE_MS = 120;
const LONG_PAUSE_MS = 500;
const LONG = 200_000;
const PAGE = 30;

export class Way {
  // `ask` translates: text, configuration and option in, the promise of an answer out. `more`, `count` and `output` are
  // about the last answer.
  constructor(panel, { samples, rules, idle, engine, readConfig, addMapping, onAnswer, onSay, onLink, onEdit, onOther }) {
    Object.assign(this, { panel, samples, rules, idle, engine, readConfig, addMapping, onAnswer, onSay, onEdit, onOther });
    this.part = Object.fromEntries([...panel.querySelectorAll("[data-part]")].map((each) => [each.dataset.part, each]));
    this.editor = makeEditor(this.part.source, {
      language: "json",
      labelledby: `${panel.id}-source`,
      onChange: (_, anew) => this.edited(anew),
      onPoint: (position) => this.lightFields(position),
    });
    fillSamples(this.part.sample, samples);
    this.part.sample.addEventListener("change", () => this.load(samples[this.part.sample.value].text));
    this.part.option.addEventListener("change", () => this.edited());
    this.part.link.addEventListener("click", onLink);
    this.part.copy.addEventListener("click", () => this.copy());
    panel.addEventListener("keydown", (event) => event.key === "Escape" && this.hold(null, null));
    this.drawn = { pointed: null, held: null };
    this.showWhy();
  }

  get text() { return this.editor.text; }

  set text(text) { this.editor.text = text; }

  get option() { return this.part.option.value; }

  set option(option) { this.part.option.value = option; }

  load(text) {
    if (text === this.editor.text) this.refresh();
    else this.editor.text = text;
  }

  edited(anew = false) {
    const length = this.editor.state.doc.length;
    const index = this.samples.findIndex((sample) => sample.text.length === length && sample.text === this.editor.text);
    this.part.sample.value = index < 0 ? "" : String(index);
    if (this.onEdit(this, anew && index < 0)) this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    this.part.result.setAttribute("aria-busy", "true");
    this.timer = setTimeout(() => this.refresh(), this.editor.state.doc.length > LONG ? LONG_PAUSE_MS : PAUSE_MS);
  }

  // While Python is at work, the latest input waits, and those before it are passed over.
  async refresh() {
    clearTimeout(this.timer);
    this.timer = null;
    this.stale = true;
    this.part.result.setAttribute("aria-busy", "true");
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.stale) {
        this.stale = false;
        const { answer, ms } = await this.engine.ask(this.engine.question, this.editor.text, this.readConfig(), this.part.option.value);
        if (this.stale) continue;
        if (answer.other && this.onOther(this)) break;
        this.show(answer, ms);
        if (!answer.problems.length) {
          const { answer: counts } = await this.engine.ask("count");
          if (!this.stale) this.onAnswer(this, answer, counts);
        }
      }
    } catch (error) {
      this.onSay(`The library failed with ${error.message}. Please report the input that did this.`);
    } finally {
      this.busy = false;
      if (!this.timer) this.part.result.setAttribute("aria-busy", "false");
    }
  }

  show(answer, ms) {
    this.drawn = { pointed: null, held: null };
    this.answer = answer;
    this.rest = null;
    this.outcomes = answer.problems.length ? [] : [...answer.outcomes];
    this.shown = null;
    draw(this.part.result, answer, this.rules, {
      point: (about) => { this.drawn.pointed = about; this.showWhy(); },
      hold: (about, element) => this.hold(about, element),
      next: (start) => this.next(answer, start),
      drawn: () => this.markPlaces(),
    });
    this.part.result.scrollTop = 0;
    this.part.timing.textContent = ms === undefined ? "" : `in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    this.markPlaces();
    this.showWhy();
    this.onAnswer(this, answer, null);
  }

  async next(answer, start) {
    const { answer: outcomes } = await this.engine.ask("more", start, PAGE);
    if (this.answer !== answer || this.stale) return null;
    this.outcomes.push(...outcomes);
    return outcomes;
  }

  // Choosing the chosen one again, or Escape, lets it go.
  hold(about, element) {
    for (const each of this.part.result.querySelectorAll("[aria-selected=true]")) each.setAttribute("aria-selected", "false");
    const again = about && this.drawn.held?.element === element;
    this.drawn.held = about && !again ? { about, element } : null;
    if (again || !about) this.drawn.pointed = null;
    if (this.drawn.held && element.getAttribute("role") === "option") element.setAttribute("aria-selected", "true");
    this.showWhy();
  }

  showWhy() {
    const about = this.drawn.pointed ?? this.drawn.held?.about ?? this.whole();
    if (about === this.shown) return; // a panel drawn anew would lose the button that is being pressed
    this.shown = about;
    const place = this.place(about);
    this.editor.light(place);
    drawWhy(this.part.why, about, { rules: this.rules, place, editor: this.editor, close: () => this.hold(null, null), add: this.addMapping });
  }

  // What the panel shows at rest: why IDs are missing, and where no field has a reason of its own, the rules of the whole.
  whole() {
    if (this.rest?.of !== this.outcomes?.length) {
      const outcomes = this.outcomes ?? [];
      const ids = this.fields?.length === 0 ? outcomes.flatMap(({ rules }) => rules) : [];
      this.rest = { of: outcomes.length, answers: together(outcomes), rules: [...new Set(ids)], idle: ids.length ? null : this.idle };
    }
    return this.rest;
  }

  place(about) {
    return about?.source ? placeOf(this.editor.state, about, about.source) : null;
  }

  markPlaces() {
    this.fields = [...this.part.result.querySelectorAll("[role=option]")]
      .map((element) => ({ element, place: this.place(element.about) }));
    this.editor.mark("used", this.fields.map(({ place }) => place).filter(Boolean));
    const named = this.outcomes.flatMap(({ issues = [], path, roots, line }) => [...issues, { path }].map((each) => ({ source: each.path, roots, line })));
    const places = named.map((each) => (each.source === "$" ? null : this.place(each))).filter(Boolean);
    const broken = this.outcomes.filter(({ at }) => at).map(({ at }) => placeAt(this.editor.state, at));
    this.editor.mark("issue", [...places, ...broken]);
  }

  // The other way round: the fields that came from where the pointer or the cursor is.
  lightFields(position) {
    for (const { element, place } of this.fields ?? []) {
      const inside = position !== null && place && place.from <= position && position <= place.to;
      element.classList.toggle("lit", Boolean(inside));
    }
  }

  async copy() {
    const { answer } = await this.engine.ask("output");
    await navigator.clipboard.writeText(answer);
    this.onSay("Copied the output.");
  }
}

// The answers of all outcomes, equal ones once.
function together(outcomes) {
  const found = new Map();
  for (const answer of outcomes.flatMap(({ answers = [] }) => answers)) {
    const key = answer.head + answer.rest;
    found.set(key, { ...answer, count: (found.get(key)?.count ?? 0) + 1 });
  }
  return [...found.values()].map((each) => ({ ...each, calls: outcomes.length > 1 ? `(in ${each.count} of ${outcomes.length})` : null }));
}

export function fillSamples(select, samples) {
  const groups = new Map();
  samples.forEach((sample, index) => {
    if (!groups.has(sample.group)) groups.set(sample.group, h("optgroup", { label: sample.group }));
    groups.get(sample.group).append(h("option", { value: String(index) }, sample.title));
  });
  select.replaceChildren(h("option", { value: "", hidden: true }, "Your own"), ...groups.values());
}
