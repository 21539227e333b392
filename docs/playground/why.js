// The panel that says where the chosen field came from, and which rule put it there; at rest, why IDs are missing.

import { h } from "./dom.js";
import { ruleText } from "./rules.js";

const MOST = 160;

export function drawWhy(panel, about, { rules, place, editor, close, add }) {
  panel.classList.toggle("filled", Boolean(about.source || about.target));
  const head = about.target
    ? h("p", { class: "pg-what" }, h("code", {}, about.target), " = ", h("code", {}, shortened(about.value)))
    : null;
  const shut = h("button", { type: "button", class: "pg-small pg-close", onclick: close }, "Close"); // over a phone's screen
  const goesOn = document.activeElement.matches(".pg-add") && panel.contains(document.activeElement); // the button goes with its answer
  panel.replaceChildren(...["idle" in about ? null : shut, ...(about.answers ?? []).map((each) => answer(each, add)), head, origin(about, place, editor), ...(about.rules ?? []).map((id) => ruleText(rules[id]))].filter(Boolean));
  if (goesOn) (panel.querySelector(".pg-add") ?? panel).focus({ preventScroll: true });
}

function origin(about, place, editor) {
  if ("idle" in about) return about.idle && h("p", { class: "pg-idle" }, about.idle);
  if (!about.source) return h("p", {}, "Not from the input: the configuration or the library put it there.");
  if (!place) return h("p", {}, "Place: ", h("code", {}, about.source), ", which is not in the text.");
  const excerpt = editor.state.sliceDoc(place.from, place.to).replace(/\s+/g, " ");
  const show = h("button", { type: "button", class: "pg-small", onclick: () => editor.goTo(place) }, "Go there");
  return h("p", {}, about.target ? "From " : "At ", h("code", {}, about.source), ": ", h("code", { class: "pg-excerpt" }, shortened(excerpt)), " ", show);
}

function answer({ head, rest, lines, mapping, calls }, add) {
  const sentence = h("p", {}, h("strong", {}, head), rest, calls ? h("span", { class: "pg-idle" }, ` ${calls}`) : null);
  if (!mapping) return sentence;
  const button = h("button", { type: "button", class: "pg-add", onclick: () => {
    if (button.ariaDisabled) return;
    button.ariaDisabled = "true";
    add(mapping);
  } }, "Add this mapping");
  return h("div", { class: "pg-answer" }, sentence, h("pre", { tabindex: "0" }, lines), button);
}

const shortened = (text) => (text.length > MOST ? `${text.slice(0, MOST)}…` : text);
