// Runs the programs whose paths arrive on the standard input, one a line, each as a module of its own in this process.
// Answers each with a line of JSON: null, or the error that ended the program.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

console.log = () => {};
for await (const path of createInterface({ input: process.stdin })) {
  let error = null;
  try {
    await import(pathToFileURL(path).href);
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown);
  }
  process.stdout.write(JSON.stringify(error) + "\n");
}
