// A text editor (CodeMirror) that can mark places: what was used, what has an issue, and what is lit.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const LANGUAGES = { json: () => json(), toml: () => StreamLanguage.define(toml) };
const KINDS = ["used", "issue", "lit"];
const setMarks = Object.fromEntries(KINDS.map((kind) => [kind, StateEffect.define()]));

const fields = KINDS.map((kind) => {
  const mark = Decoration.mark({ class: `pg-${kind}` });
  return StateField.define({
    create: () => Decoration.none,
    update(marks, transaction) {
      for (const effect of transaction.effects) {
        if (effect.is(setMarks[kind])) {
          const places = effect.value.filter((place) => place.to > place.from);
          return Decoration.set(places.map((place) => mark.range(place.from, place.to)), true);
        }
      }
      return marks.map(transaction.changes);
    },
    provide: (field) => EditorView.decorations.from(field),
  });
});

const BIDI = /[\u061c\u202a-\u202e\u2066-\u2069]/g; // besides those that the editor shows as marks by itself

// onChange gets every edit, and whether it left nothing of what was there; onPoint gets the position that the pointer or the cursor is at, null for none.
export function makeEditor(parent, { language, labelledby, onChange, onPoint = () => {} }) {
  const listen = EditorView.updateListener.of((update) => {
    if (update.docChanged) onChange(update.state.doc.toString(), isAnew(update.changes));
    else if (update.selectionSet) onPoint(update.state.selection.main.head);
  });
  const pointer = EditorView.domEventHandlers({
    mousemove: (event, view) => onPoint(view.posAtCoords({ x: event.clientX, y: event.clientY })),
    mouseleave: () => onPoint(null),
  });
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        lineNumbers(), history(), bracketMatching(), highlightSpecialChars({ addSpecialChars: BIDI }), EditorView.lineWrapping, syntaxHighlighting(classHighlighter),
        keymap.of([...defaultKeymap, ...historyKeymap]), LANGUAGES[language](), fields, listen, pointer,
        EditorView.contentAttributes.of({ "aria-labelledby": labelledby, tabindex: "0", spellcheck: "false" }),
      ],
    }),
  });
  return {
    get text() { return view.state.doc.toString(); },
    set text(text) { if (text.length !== view.state.doc.length || text !== this.text) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }); },
    get state() { return view.state; },
    mark(kind, places) { view.dispatch({ effects: setMarks[kind].of(places) }); },
    light(place) {
      this.mark("lit", place ? [place] : []);
      if (place) bringIntoView(view, place.from);
    },
    showEnd() {
      view.dispatch({ effects: EditorView.scrollIntoView(view.state.doc.length) });
    },
    goTo(place) {
      view.dispatch({ selection: { anchor: place.valueFrom, head: place.to } });
      view.dom.scrollIntoView({ block: "nearest" });
      bringIntoView(view, place.from);
      view.focus();
    },
  };
}

function isAnew(changes) {
  let anew = true;
  changes.iterGaps(() => { anew = false; });
  return anew;
}

// Scrolls the editor alone: the page must stay where the reader is.
function bringIntoView(view, position) {
  const line = view.lineBlockAt(position);
  const { scrollTop, clientHeight } = view.scrollDOM;
  if (line.top < scrollTop || line.bottom > scrollTop + clientHeight) {
    view.scrollDOM.scrollTop = line.top - clientHeight / 3;
  }
}
