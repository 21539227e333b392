// The panel that says where the chosen field came from, and which rule put it there.

import { h } from "./dom.js";
import { ruleText } from "./rules.js";

const MOST = 160;

export function drawWhy(panel, about, { rules, place, editor, idle, close }) {
  panel.classList.toggle("filled", Boolean(about?.source || about?.target));
  if (!about) {
    panel.replaceChildren(h("p", { class: "pg-idle" }, idle));
    return;
  }
  const head = about.target
    ? h("p", { class: "pg-what" }, h("code", {}, about.target), " = ", h("code", {}, shortened(about.value)))
    : null;
  const shut = h("button", { type: "button", class: "pg-small pg-close", onclick: close }, "Close"); // over a phone's screen
  panel.replaceChildren(...["whole" in about ? null : shut, head, origin(about, place, editor), ...(about.rules ?? []).map((id) => ruleText(rules[id]))].filter(Boolean));
}

function origin(about, place, editor) {
  if ("whole" in about) return about.whole ? h("p", { class: "pg-idle" }, about.whole) : null;
  if (!about.source) return h("p", {}, "Not from the call: the configuration or the library put it there.");
  if (!place) return h("p", {}, "Place: ", h("code", {}, about.source), ", which is not in the text.");
  const excerpt = editor.state.sliceDoc(place.from, place.to).replace(/\s+/g, " ");
  const show = h("button", { type: "button", class: "pg-small", onclick: () => editor.goTo(place) }, "Go there");
  return h("p", {}, about.target ? "From " : "At ", h("code", {}, about.source), ": ", h("code", { class: "pg-excerpt" }, shortened(excerpt)), " ", show);
}

const shortened = (text) => (text.length > MOST ? `${text.slice(0, MOST)}…` : text);
