// Shows rules: their ids as links to the page of rules, and badges that say how sure each is.

import { h } from "./dom.js";

const WORDS = { documented: "documented", observed: "observed", policy: "our policy" };

const dot = (word) => h("i", { class: `pg-dot ${word}` });

export const badges = (rule) => rule.status.map((word) => h("span", { class: `pg-badge ${word}` }, dot(word), WORDS[word]));

export const statusWords = (rule) => rule.status.map((word) => WORDS[word]).join(", ");

export function ruleLink(rule) {
  return h("a", { href: rule.href, class: "pg-rule" }, `${rule.id} ${rule.title}`);
}

// The short form, beside a field: the id, and a dot for each badge.
export function chip(rule) {
  return h("span", { class: "pg-chip", title: `${rule.title}: ${statusWords(rule)}` }, rule.id, ...rule.status.map(dot));
}

export function ruleText(rule) {
  return h("div", { class: "pg-rule-text" },
    h("p", {}, ruleLink(rule), " ", ...badges(rule)),
    h("p", {}, rule.summary),
    ...sourceText(rule));
}

function sourceText(rule) {
  const links = rule.sources.map((source) =>
    h("li", {}, h("a", { href: source.url }, source.title), source.part ? `, ${source.part}` : "", source.read ? ` (read ${source.read})` : ""));
  const policy = rule.policy ? [h("li", {}, `Our policy: ${rule.policy}`)] : [];
  return [h("ul", { class: "pg-read" }, ...links, ...policy)];
}
