// One direction of translation: its input, its samples and options, its result; the other one works alike.

import { h } from "./dom.js";
import { makeEditor } from "./editor.js";
import { firstError, placeOf } from "./paths.js";
import { draw } from "./result.js";
import { drawWhy } from "./why.js";

const PAUSE_MS = 120;

export class Way {
  // `ask` translates: text, configuration and option in, the promise of an answer out.
  constructor(panel, { samples, rules, idle, note, ask, readConfig, onAnswer, onLink, onEdit }) {
    Object.assign(this, { panel, samples, rules, idle, note, ask, readConfig, onAnswer, onEdit });
    this.part = Object.fromEntries([...panel.querySelectorAll("[data-part]")].map((each) => [each.dataset.part, each]));
    this.editor = makeEditor(this.part.source, {
      language: "json",
      labelledby: `${panel.id}-source`,
      onChange: (text) => this.edited(text),
      onPoint: (position) => this.lightFields(position),
    });
    fillSamples(this.part.sample, samples);
    this.part.sample.addEventListener("change", () => this.load(samples[this.part.sample.value].text));
    this.part.option.addEventListener("change", () => this.edited(this.editor.text));
    this.part.link.addEventListener("click", onLink);
    this.part.copy.addEventListener("click", () => this.copy());
    panel.addEventListener("keydown", (event) => event.key === "Escape" && this.hold(null, null));
    this.drawn = { pointed: null, held: null };
    this.showWhy();
  }

  load(text) {
    if (text === this.editor.text) this.refresh();
    else this.editor.text = text;
  }

  edited(text) {
    const at = this.samples.findIndex((sample) => sample.text === text);
    this.part.sample.value = at < 0 ? "" : String(at);
    if (this.onEdit(this)) this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    this.part.result.setAttribute("aria-busy", "true");
    this.timer = setTimeout(() => this.refresh(), PAUSE_MS);
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
        const { answer, ms } = await this.ask(this.editor.text, this.readConfig(), this.part.option.value);
        if (!this.stale) this.show(answer, ms);
      }
    } catch (error) {
      this.onAnswer(this, null, `The library failed with ${error.message}. Please report the input that did this.`);
    } finally {
      this.busy = false;
      if (!this.timer) this.part.result.setAttribute("aria-busy", "false");
    }
  }

  show(answer, ms) {
    this.drawn = { pointed: null, held: null };
    const handlers = {
      point: (about) => { this.drawn.pointed = about; this.showWhy(); },
      hold: (about, element) => this.hold(about, element),
    };
    this.part.result.replaceChildren(...draw(answer, this.rules, handlers));
    this.part.timing.textContent = `in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    this.answer = answer;
    this.told = null;
    this.markPlaces();
    this.showWhy();
    this.onAnswer(this, answer);
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
    if (about && about === this.told) return; // a panel drawn anew would lose the button that is being pressed
    this.told = about;
    const place = this.place(about);
    this.editor.light(place);
    drawWhy(this.part.why, about, { rules: this.rules, place, editor: this.editor, idle: this.idle, close: () => this.hold(null, null) });
  }

  // Where no field has a reason of its own, what is told is the rules that made the whole.
  whole() {
    const ids = this.fields?.length === 0 ? this.answer.outcomes.flatMap(({ rules }) => rules) : [];
    return ids.length ? { whole: this.note, rules: [...new Set(ids)] } : null;
  }

  place(about) {
    return about?.source ? placeOf(this.editor.state, about.roots, about.source) : null;
  }

  markPlaces() {
    this.fields = [...this.part.result.querySelectorAll("[role=option]")]
      .map((element) => ({ element, place: this.place(element.about) }));
    this.editor.mark("used", this.fields.map(({ place }) => place).filter(Boolean));
    const outcomes = this.answer.outcomes;
    const told = outcomes.flatMap(({ issues = [], path, roots }) => [...issues, { path }].map((each) => ({ source: each.path, roots })));
    const places = told.map((each) => (each.source === "$" ? null : this.place(each))).filter(Boolean);
    const broken = outcomes.some(({ code }) => code === "invalid_json") ? firstError(this.editor.state) : null;
    this.editor.mark("issue", broken ? [...places, broken] : places);
  }

  // The other way round: the fields that came from where the pointer or the cursor is.
  lightFields(position) {
    for (const { element, place } of this.fields ?? []) {
      const inside = position !== null && place && place.from <= position && position <= place.to;
      element.classList.toggle("lit", Boolean(inside));
    }
  }

  async copy() {
    const written = this.part.result.querySelectorAll(".pg-lines");
    const texts = [...written].map((box) => [...box.querySelectorAll(".pg-text")]
      .map((line) => "  ".repeat(Number(line.style.getPropertyValue("--depth"))) + line.textContent).join("\n"));
    await navigator.clipboard.writeText(texts.join("\n"));
    this.onAnswer(this, null, "Copied the output.");
  }
}

export function fillSamples(select, samples) {
  const groups = new Map();
  samples.forEach((sample, at) => {
    if (!groups.has(sample.group)) groups.set(sample.group, h("optgroup", { label: sample.group }));
    groups.get(sample.group).append(h("option", { value: String(at) }, sample.title));
  });
  select.replaceChildren(h("option", { value: "", hidden: true }, "Your own"), ...groups.values());
}
