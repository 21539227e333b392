// Finds the place in a JSON text that a wire path such as $.properties["cart value"][3] names.

import { ensureSyntaxTree } from "@codemirror/language";

const STEP = /\.([^.[\]]+)|\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]/gu;
const PUNCTUATION = new Set(["{", "}", "[", "]", ",", ":", "⚠"]);
const PATIENCE_MS = 200;

export function steps(path) {
  return [...path.matchAll(STEP)].map(([, name, quoted, index]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? name : JSON.parse(quoted);
  });
}

// Gives the place of the first of some roots under which the path is there: its member and the value alone.
export function placeOf(state, roots, path) {
  for (const root of roots) {
    const place = find(state, steps(root + path.slice(1)));
    if (place) return place;
  }
  return null;
}

export function firstError(state) {
  let error = null;
  tree(state)?.iterate({ enter: (node) => { if (node.type.isError && !error) error = { from: node.from, to: node.to }; } });
  return error;
}

function find(state, wanted) {
  let node = values(tree(state)?.topNode)[0];
  let member = node;
  for (const step of wanted) {
    [member, node] = (typeof step === "number" ? item(node, step) : property(state, node, step)) ?? [];
    if (!node) return null;
  }
  return node ? { from: member.from, to: node.to, valueFrom: node.from } : null;
}

function tree(state) {
  return ensureSyntaxTree(state, state.doc.length, PATIENCE_MS);
}

function values(node) {
  const found = [];
  for (let child = node?.firstChild; child; child = child.nextSibling) {
    if (!PUNCTUATION.has(child.name)) found.push(child);
  }
  return found;
}

function item(node, at) {
  const found = node?.name === "Array" ? values(node)[at] : null;
  return found ? [found, found] : null;
}

function property(state, node, key) {
  if (node?.name !== "Object") return null;
  const named = values(node).filter((each) => keyOf(state, each) === key);
  const last = named.at(-1); // of a key that stands twice, JSON readers take the last
  const value = values(last).at(-1);
  return value && value.name !== "PropertyName" ? [last, value] : null;
}

function keyOf(state, node) {
  const name = node.getChild("PropertyName");
  if (!name) return null;
  try {
    return JSON.parse(state.sliceDoc(name.from, name.to));
  } catch {
    return null;
  }
}
