// Asks the Python in the worker; every question is answered by a promise.

export function startEngine(onProgress) {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let asked = 0;
  worker.onmessage = ({ data }) => {
    if (data.progress) return onProgress(data.progress);
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    return data.failure ? reject(new Error(data.failure)) : resolve(data);
  };
  worker.onerror = (event) => onProgress(`Python could not be started: ${event.message ?? "the worker failed"}`);
  return {
    ask: (name, ...args) => new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, { resolve, reject });
      worker.postMessage({ id: asked, name, args });
    }),
  };
}
