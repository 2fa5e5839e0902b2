// Runs the programs whose paths arrive on the standard input, one a line, each as a module of its own in this process.
// Answers each with a line of JSON: the error that ended the program, or null; and the text that it printed.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

let printed = [];
console.log = (...values) => printed.push(format(...values));
for await (const path of createInterface({ input: process.stdin })) {
  let error = null;
  printed = [];
  try {
    await import(pathToFileURL(path).href);
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown);
  }
  process.stdout.write(JSON.stringify([error, printed.join("\n")]) + "\n");
}
