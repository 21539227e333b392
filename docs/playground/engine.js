// Asks the Python in the worker; every question is answered by a promise. `follow` hears how far a long answer is.

export function startEngine(onProgress) {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let asked = 0;
  worker.onmessage = ({ data }) => {
    if (data.progress) return onProgress(data.progress);
    const { resolve, reject, follow } = waiting.get(data.id);
    if (data.part !== undefined) return follow(data.part);
    waiting.delete(data.id);
    return data.failure ? reject(new Error(data.failure)) : resolve(data);
  };
  worker.onerror = (event) => onProgress(`Python could not be started: ${event.message ?? "the worker failed"}`);
  const post = (name, args, follow) => new Promise((resolve, reject) => {
    asked += 1;
    waiting.set(asked, { resolve, reject, follow });
    worker.postMessage({ id: asked, name, args });
  });
  return {
    ask: (name, ...args) => post(name, args, () => {}),
    askLong: (follow, name, ...args) => post(name, args, follow),
  };
}
