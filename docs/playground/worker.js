// Runs the library itself, in Python, apart from the page, so that typing stays smooth.

import { loadPyodide } from "./pyodide/pyodide.mjs";

const HERE = new URL("./", import.meta.url);
const tell = (progress) => self.postMessage({ progress });

async function start() {
  tell("Loading Python, about 13 MB the first time.");
  const bundle = await (await get("bundle.json", { cache: "no-cache" })).json();
  const files = [...bundle.wheels.map((name) => `wheels/${name}`), "glue.py"];
  const [pyodide, ...contents] = await Promise.all([
    loadPyodide({ indexURL: new URL("pyodide/", HERE).href }),
    ...files.map(async (name) => (await get(`${name}?v=${bundle.version}`)).arrayBuffer()),
  ]);
  tell("Installing the library.");
  const glue = contents.pop();
  for (const wheel of contents) pyodide.unpackArchive(wheel, "wheel");
  pyodide.FS.writeFile("playground_glue.py", new Uint8Array(glue));
  return pyodide.pyimport("playground_glue");
}

async function get(name, options) {
  const response = await fetch(new URL(name, HERE), options);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}

const started = start();
started.catch((error) => tell(`Python could not be started: ${error.message}`));

self.onmessage = async ({ data: { id, name, args } }) => {
  try {
    const glue = await started;
    const begin = performance.now();
    const answer = glue[name](...args);
    self.postMessage({ id, answer: JSON.parse(answer), ms: performance.now() - begin });
  } catch (error) {
    self.postMessage({ id, failure: `${error.type ?? error.name}` });
  }
};
