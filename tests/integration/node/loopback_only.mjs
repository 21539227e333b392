// Ends the process at the first connection that would leave this machine.
import { Socket } from "node:net";

const connect = Socket.prototype.connect;

Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = typeof options === "object" ? options.host : args[1];
  if (host !== "127.0.0.1") {
    console.error(`a connection to ${host}`);
    process.exit(86);
  }
  return connect.apply(this, args);
};
