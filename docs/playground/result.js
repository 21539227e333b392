// Draws an answer: outcomes with their lines, why something was skipped or rejected, and issues.

import { h } from "./dom.js";
import { badges, chip, ruleLink, statusWords } from "./rules.js";

const KINDS = {
  event: "Event", audience: "Change of an ID list", call: "Segment call", skipped: "Skipped", rejected: "Rejected",
  handshake: "Handshake: answer with this code",
};
const COLOURS = [[/^"/, "string"], [/^[-\dNI]/, "number"], [/^(true|false|null)$/, "atom"]];

// Gives the elements of an answer; `point` is told which field or issue the reader is at, `hold` which one was chosen.
export function draw(answer, rules, { point, hold }) {
  const listeners = (about) => ({
    onpointerenter: (event) => event.pointerType === "mouse" && point(about),
    onpointerleave: (event) => event.pointerType === "mouse" && point(null),
    onfocus: () => point(about),
    onblur: () => point(null),
    onclick: (event) => hold(about, event.currentTarget),
  });
  const parts = { rules, listeners };
  if (answer.problems.length) return [problems(answer.problems, parts)];
  const many = answer.outcomes.length > 1;
  const body = answer.body ? [card("body", ["Request body", chipsOf(["WI-2"], rules)], [lines(answer.body, parts)])] : [];
  const cards = answer.outcomes.map((outcome, at) => outcomeCard(outcome, many ? `${at + 1}. ` : "", parts));
  return [...body, ...cards.filter(Boolean)];
}

function card(kind, title, content) {
  return h("article", { class: `pg-card ${kind}` }, h("h3", {}, ...title.flat()), ...content.filter(Boolean));
}

const chipsOf = (ids, rules) => ids.map((id) => chip(rules[id]));

function outcomeCard(outcome, number, parts) {
  const issues = outcome.issues?.length ? issueList(outcome.issues, outcome.roots, parts) : null;
  if (outcome.kind === "event" && !outcome.lines && !issues) return null; // it stands in the request
  const code = outcome.code ? [": ", h("code", {}, outcome.code)] : [];
  const title = [`${number}${KINDS[outcome.kind]}`, ...code, outcome.code ? [] : chipsOf(outcome.rules, parts.rules)];
  const content = [outcome.code ? reason(outcome, parts) : null, outcome.lines ? lines(outcome.lines, parts) : null, issues];
  return card(outcome.kind, title, content);
}

function reason(outcome, { rules, listeners }) {
  const place = outcome.path && outcome.path !== "$" ? [" at ", placeButton(outcome.path, { ...outcome, source: outcome.path }, listeners)] : [];
  return h("dl", { class: "pg-reason" },
    h("dt", {}, "Why"), h("dd", {}, outcome.message, ...place),
    h("dt", {}, "What would change it"), h("dd", {}, outcome.hint),
    h("dt", {}, "Rule"), ...outcome.rules.map((id) => h("dd", {}, ruleLink(rules[id]), " ", ...badges(rules[id]))));
}

function placeButton(path, about, listeners) {
  return h("button", { type: "button", class: "pg-place", ...listeners(about) }, path);
}

function issueList(issues, roots, { rules, listeners }) {
  const items = issues.map((issue) => h("li", {},
    h("code", {}, issue.code), " at ",
    placeButton(issue.path, { source: issue.path, roots, rules: issue.rules, message: issue.message }, listeners),
    h("br"), issue.message, ". ", ...chipsOf(issue.rules, rules)));
  return h("div", { class: "pg-issues" }, h("h4", {}, items.length === 1 ? "1 issue" : `${items.length} issues`), h("ul", {}, ...items));
}

function problems(found, { rules }) {
  const items = found.map((issue) => h("li", {}, h("code", {}, issue.code), " at ", h("code", {}, issue.path), h("br"),
    issue.message, ". ", ...chipsOf(issue.rules, rules)));
  return card("rejected", ["The configuration cannot be used"], [h("ul", {}, ...items)]);
}

// Lines with a reason are options of a list box: one stop for the tab key, arrows move inside.
function lines(rows, parts) {
  const chosen = rows.some((row) => row.why);
  const box = h("div", chosen ? { class: "pg-lines", role: "listbox", "aria-label": "Fields, each with its source and rule" } : { class: "pg-lines" });
  box.append(...rows.map((row) => (row.why ? option(row, parts) : plainLine(row, chosen))));
  box.querySelector("[role=option]")?.setAttribute("tabindex", "0");
  box.addEventListener("keydown", move);
  return box;
}

function option(row, { rules, listeners }) {
  const rule = rules[row.why.rule];
  const about = { ...row.why, target: row.path, value: row.value, rules: [row.why.rule] };
  const from = row.why.source ? `from ${row.why.source}` : "from the configuration or the library";
  const label = `${row.path.slice(2)}: ${row.value}, ${from}, rule ${rule.id} ${rule.title}, ${statusWords(rule)}`;
  const element = h("div", { class: "pg-line pg-field", role: "option", tabindex: "-1", "aria-selected": "false", "aria-label": label, ...listeners(about) },
    text(row), chip(rule));
  element.about = about;
  return element;
}

function plainLine(row, decoration) {
  return h("div", { class: "pg-line", role: decoration ? "presentation" : null, "aria-hidden": decoration ? "true" : null }, text(row));
}

function text(row) {
  const colour = COLOURS.find(([pattern]) => pattern.test(row.value))?.[1] ?? "punctuation";
  const key = row.key ? [h("span", { class: "pg-key" }, row.key), ": "] : [];
  return h("span", { class: "pg-text", style: `--depth: ${row.depth}` }, ...key, h("span", { class: `pg-${colour}` }, row.value), row.end);
}

function move(event) {
  const options = [...event.currentTarget.querySelectorAll("[role=option]")];
  const at = options.indexOf(document.activeElement);
  if (["Enter", " "].includes(event.key) && at >= 0) {
    event.preventDefault();
    options[at].click();
    return;
  }
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const target = options[Math.min(Math.max(next, 0), options.length - 1)];
  if (at >= 0) options[at].tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}
