// Draws an answer: outcomes with their lines, why something was skipped or rejected, and issues.
// Only what is about to be seen is drawn; scrolling draws the rest.

import { h, whenSeen } from "./dom.js";
import { badges, chip, ruleLink, statusWords } from "./rules.js";

const KINDS = {
  event: "Event", audience: "Change of an ID list", call: "Segment call", skipped: "Skipped", rejected: "Rejected",
  handshake: "Handshake: answer with this code",
};
const COLORS = [[/^"/, "string"], [/^[-\dNI]/, "number"], [/^(true|false|null)$/, "atom"]];
const CHUNK = 200;

// Fills the container. `point` gets the field or issue that the reader is at, `hold` the chosen one, `next` gives the
// promise of the outcomes from a position on, and `drawn` is called whenever there is more to see.
export function draw(container, answer, rules, { point, hold, next, drawn }) {
  const listeners = (about) => ({
    onpointerenter: (event) => event.pointerType === "mouse" && point(about),
    onpointerleave: (event) => event.pointerType === "mouse" && point(null),
    onfocus: () => point(about),
    onblur: () => point(null),
    onclick: (event) => hold(about, event.currentTarget),
  });
  const parts = { rules, listeners, drawn };
  if (answer.problems.length) {
    container.replaceChildren(problems(answer.problems, parts));
    return;
  }
  const body = answer.body ? [card("body", ["Request body", ...chipsOf(["WI-2"], rules)], [lines(answer.body, parts)])] : [];
  container.replaceChildren(...body);
  append(answer.outcomes, 0);

  function append(outcomes, start) {
    const title = (index) => (answer.total > 1 ? `${start + index + 1}. ` : "");
    container.append(...outcomes.map((outcome, index) => outcomeCard(outcome, title(index), parts)).filter(Boolean));
    const done = start + outcomes.length;
    if (done < answer.total && outcomes.length) container.append(waiting(done));
    drawn();
  }

  function waiting(done) {
    const note = h("p", { class: "pg-more" }, `${answer.total - done} more`);
    whenSeen(note, async () => {
      const outcomes = await next(done);
      if (!outcomes || !note.isConnected) return;
      note.remove();
      append(outcomes, done);
    });
    return note;
  }
}

function card(kind, title, content) {
  return h("article", { class: `pg-card ${kind}` }, h("h3", {}, ...title), ...content.filter(Boolean));
}

const chipsOf = (ids, rules) => ids.map((id) => chip(rules[id]));

function outcomeCard(outcome, number, parts) {
  const issues = outcome.issues?.length ? issueList(outcome, parts) : null;
  if (outcome.kind === "event" && !outcome.lines && !issues) return null; // it is in the request
  const code = outcome.code ? [": ", h("code", {}, outcome.code)] : chipsOf(outcome.rules, parts.rules);
  const content = [outcome.code ? reason(outcome, parts) : null, outcome.lines ? lines(outcome.lines, parts) : null, issues];
  return card(outcome.kind, [`${number}${KINDS[outcome.kind]}`, ...code], content);
}

function reason(outcome, { rules, listeners }) {
  const place = outcome.path && outcome.path !== "$" ? [" at ", placeButton(outcome.path, { ...outcome, source: outcome.path }, listeners)] : [];
  const at = outcome.at ? [` at line ${outcome.at[0]}, column ${outcome.at[1]}`] : [];
  const setting = outcome.setting ? [h("dt", {}, "Setting"), h("dd", {}, h("a", { href: outcome.href }, h("code", {}, outcome.setting)))] : [];
  return h("dl", { class: "pg-reason" },
    h("dt", {}, "Why"), h("dd", {}, outcome.message, ...place, ...at),
    ...setting,
    h("dt", {}, "What would change it"), h("dd", {}, outcome.hint),
    h("dt", {}, "Rule"), ...outcome.rules.map((id) => h("dd", {}, ruleLink(rules[id]), " ", ...badges(rules[id]))));
}

function placeButton(path, about, listeners) {
  return h("button", { type: "button", class: "pg-place", ...listeners(about) }, path);
}

function issueList({ issues, roots, line }, { rules, listeners }) {
  const items = issues.map((issue) => h("li", {},
    h("code", {}, issue.code), " at ",
    placeButton(issue.path, { source: issue.path, roots, line, rules: issue.rules, message: issue.message }, listeners),
    h("br"), `${issue.message}. `, ...chipsOf(issue.rules, rules)));
  return h("div", { class: "pg-issues" }, h("h4", {}, items.length === 1 ? "1 issue" : `${items.length} issues`), h("ul", {}, ...items));
}

export function problems(found, { rules }) {
  const items = found.map((issue) => h("li", {}, h("code", {}, issue.code), " at ", h("code", {}, issue.path), h("br"),
    `${issue.message}. `, ...chipsOf(issue.rules, rules)));
  return card("rejected", ["The configuration cannot be used"], [h("ul", {}, ...items)]);
}

// Lines with a reason are options of a list box: one stop for the tab key, arrows move inside.
function lines(rows, parts) {
  const chosen = rows.some((row) => row.why);
  const box = h("div", chosen ? { class: "pg-lines", role: "listbox", "aria-label": "Fields, each with its source and rule" } : { class: "pg-lines" });
  let done = 0;
  const grow = () => {
    const chunk = rows.slice(done, done + CHUNK);
    done += chunk.length;
    box.append(...chunk.map((row) => (row.why ? option(row, parts) : plainLine(row, chosen))));
    if (done < rows.length) whenSeen(box.lastElementChild, () => { grow(); parts.drawn(); });
  };
  grow();
  box.querySelector("[role=option]")?.setAttribute("tabindex", "0");
  box.addEventListener("keydown", move);
  return box;
}

function option(row, { rules, listeners }) {
  const rule = rules[row.why.rule];
  const about = { ...row.why, target: row.path, value: row.value, rules: [row.why.rule] };
  const from = row.why.source ? `from ${row.why.source}` : "from the configuration or the library";
  const description = `${from}, rule ${rule.id} ${rule.title}, ${statusWords(rule)}`;
  const element = h("div", { class: "pg-line pg-field", role: "option", tabindex: "-1", "aria-selected": "false", "aria-description": description, ...listeners(about) },
    text(row), chip(rule));
  element.about = about;
  return element;
}

function plainLine(row, decoration) {
  return h("div", { class: "pg-line", role: decoration ? "presentation" : null, "aria-hidden": decoration ? "true" : null }, text(row));
}

function text(row) {
  const color = COLORS.find(([pattern]) => pattern.test(row.value))?.[1] ?? "punctuation";
  const key = row.key ? [h("span", { class: "pg-key" }, row.key), ": "] : [];
  return h("span", { class: "pg-text", style: `--depth: ${row.depth}` }, ...key, h("span", { class: `pg-${color}` }, row.value), row.end);
}

function move(event) {
  const options = [...event.currentTarget.querySelectorAll("[role=option]")];
  const index = options.indexOf(document.activeElement);
  if (["Enter", " "].includes(event.key) && index >= 0) {
    event.preventDefault();
    options[index].click();
    return;
  }
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: options.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const target = options[Math.min(Math.max(next, 0), options.length - 1)];
  if (index >= 0) options[index].tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}
