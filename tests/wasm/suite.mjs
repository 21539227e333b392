// Runs pytest in Pyodide, a CPython for WebAssembly that Node.js can run: a way to a Python that this machine lacks.
//
//     node tests/wasm/suite.mjs FOLDER WHEELS ARGUMENT...
//
// FOLDER has `node_modules/pyodide`, WHEELS has wheels of pure Python, the ARGUMENTs are pytest's. It exits as pytest does.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

process.on("uncaughtException", (error) => { // Node.js itself would print the line that threw: a megabyte of Pyodide
  console.error(error.message ?? error);
  process.exit(70);
});

const [folder, wheels, ...given] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(resolve(folder, "node_modules/pyodide/pyodide.mjs")));
const python = await loadPyodide({ env: { HOME: "/home/pyodide", HYPOTHESIS_PROFILE: process.env.HYPOTHESIS_PROFILE ?? "quick" } });
const extractDir = python.runPython("import site; site.getsitepackages()[0]");
for (const name of readdirSync(wheels).filter((each) => each.endsWith(".whl"))) {
  python.unpackArchive(new Uint8Array(readFileSync(join(wheels, name))), "wheel", { extractDir });
}
python.mountNodeFS("/suite", resolve("."));
python.globals.set("given", python.toPy(given));
process.exit(python.runPython(`
import os, sys, pytest
os.chdir("/suite")
sys.dont_write_bytecode = True
# Hypothesis looks for who holds its random numbers, and does not find the holder of a thread here.
quiet = "ignore:It looks like \`register_random\`:hypothesis.errors.HypothesisWarning"
int(pytest.main(["-p", "no:cacheprovider", "-W", quiet, *given]))
`));
