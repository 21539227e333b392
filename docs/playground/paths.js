// Finds the place in a text that a wire path such as $.properties["cart value"][3] names.
// The text is one JSON value, or one on each line; then the line is known, and only it is read.

import { jsonLanguage } from "@codemirror/lang-json";
import { ensureSyntaxTree } from "@codemirror/language";

const STEP = /\.([^.[\]]+)|\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]/gu;
const PUNCTUATION = new Set(["{", "}", "[", "]", ",", ":", "⚠"]);
const PATIENCE_MS = 200;

const wholes = new WeakMap(); // document -> { tree, base, children }, read once however often it is asked for
const lines = new WeakMap(); // document -> line -> the same of that line

export function steps(path) {
  return [...path.matchAll(STEP)].map(([, name, quoted, index]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? name : JSON.parse(quoted);
  });
}

// Gives the place of the first of some roots under which the path is there: its member and the value alone.
export function placeOf(state, { roots, line }, path) {
  const source = line ? lineSource(state, line) : wholeSource(state);
  for (const root of source ? roots : []) {
    const place = find(state, source, steps(root + path.slice(1)));
    if (place) return place;
  }
  return null;
}

// Gives the character at a line and column that are counted from 1, in characters of Unicode.
export function placeAt(state, [number, column]) {
  const line = state.doc.line(Math.min(number, state.doc.lines));
  const before = Array.from(line.text).slice(0, column - 1).join("").length;
  const from = Math.min(line.from + before, line.to);
  return from < line.to ? { from, to: from + 1 } : { from: Math.max(from - 1, 0), to: from };
}

function wholeSource(state) {
  if (!wholes.has(state.doc)) {
    const tree = ensureSyntaxTree(state, state.doc.length, PATIENCE_MS);
    wholes.set(state.doc, tree && { tree, base: 0, children: new Map() });
  }
  return wholes.get(state.doc);
}

function lineSource(state, number) {
  if (number > state.doc.lines) return null;
  if (!lines.has(state.doc)) lines.set(state.doc, new Map());
  const known = lines.get(state.doc);
  if (!known.has(number)) {
    const line = state.doc.line(number);
    known.set(number, { tree: jsonLanguage.parser.parse(line.text), base: line.from, children: new Map() });
  }
  return known.get(number);
}

function find(state, source, wanted) {
  let node = values(source, source.tree.topNode)[0];
  let member = node;
  for (const step of wanted) {
    [member, node] = (typeof step === "number" ? item(source, node, step) : property(state, source, node, step)) ?? [];
    if (!node) return null;
  }
  const { base } = source;
  return node ? { from: base + member.from, to: base + node.to, valueFrom: base + node.from } : null;
}

function values(source, node) {
  if (!node) return [];
  const key = `${node.name}:${node.from}:${node.to}`;
  if (!source.children.has(key)) {
    const found = [];
    for (let child = node.firstChild; child; child = child.nextSibling) {
      if (!PUNCTUATION.has(child.name)) found.push(child);
    }
    source.children.set(key, found);
  }
  return source.children.get(key);
}

function item(source, node, index) {
  const found = node?.name === "Array" ? values(source, node)[index] : null;
  return found ? [found, found] : null;
}

function property(state, source, node, key) {
  if (node?.name !== "Object") return null;
  const named = values(source, node).filter((each) => keyOf(state, source, each) === key);
  const last = named.at(-1); // of a repeated key, JSON readers take the last
  const value = last && values(source, last).at(-1);
  return value && value.name !== "PropertyName" ? [last, value] : null;
}

function keyOf(state, source, node) {
  const name = node.getChild("PropertyName");
  if (!name) return null;
  try {
    return JSON.parse(state.sliceDoc(source.base + name.from, source.base + name.to));
  } catch {
    return null;
  }
}
