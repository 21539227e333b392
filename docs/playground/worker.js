// Runs the library itself, in Python, apart from the page, so that typing stays smooth.

import { loadPyodide } from "./pyodide/pyodide.mjs";

const HERE = new URL("./", import.meta.url);
const GLUE = { playground_glue: "glue.py", playground_preview: "preview_glue.py" }; // module of Python -> its file
const CALLS = "calls"; // the file that a preview reads
const tell = (progress) => self.postMessage({ progress });

async function start() {
  tell("Loading Python, about 13 MB the first time.");
  const bundle = await (await get("bundle.json", { cache: "no-cache" })).json();
  const files = [...bundle.wheels.map((name) => `wheels/${name}`), ...Object.values(GLUE)];
  const [pyodide, ...contents] = await Promise.all([
    loadPyodide({ indexURL: new URL("pyodide/", HERE).href }),
    ...files.map(async (name) => (await get(`${name}?v=${bundle.version}`)).arrayBuffer()),
  ]);
  tell("Installing the library.");
  for (const wheel of contents.splice(0, bundle.wheels.length)) pyodide.unpackArchive(wheel, "wheel");
  const modules = Object.keys(GLUE).map((name, index) => {
    pyodide.FS.writeFile(`${name}.py`, new Uint8Array(contents[index]));
    return [name, pyodide.pyimport(name)];
  });
  return { FS: pyodide.FS, ...Object.fromEntries(modules) };
}

async function get(name, options) {
  const response = await fetch(new URL(name, HERE), options);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}

const started = start();
started.catch((error) => tell(`Python could not be started: ${error.message}`));

// What the page may ask for: the functions of the glue, and a preview, which takes many steps.
function answer(python, id, name, args) {
  if (name === "preview") return preview(python, id, ...args);
  const module = name in python.playground_glue ? python.playground_glue : python.playground_preview;
  return JSON.parse(module[name](...args));
}

let previewing = 0;

// Counts block by block and lets other questions in between; a later preview ends this one, which then has no answer.
async function preview({ FS, playground_preview: glue }, id, blob, config, before) {
  previewing = id;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  if (previewing !== id) return null;
  FS.writeFile(CALLS, bytes);
  const begun = JSON.parse(glue.begin(CALLS, config, before));
  if (begun.problems.length) return begun;
  for (;;) {
    const step = JSON.parse(glue.step());
    if (step.done) return { ...JSON.parse(glue.result()), failure: step.failure };
    self.postMessage({ id, part: step.bytes / bytes.length });
    await new Promise((resume) => { setTimeout(resume); });
    if (previewing !== id) return null;
  }
}

self.onmessage = async ({ data: { id, name, args } }) => {
  try {
    const python = await started;
    const begin = performance.now();
    self.postMessage({ id, answer: await answer(python, id, name, args), ms: performance.now() - begin });
  } catch (error) {
    self.postMessage({ id, failure: `${error.type ?? error.name}` });
  }
};
