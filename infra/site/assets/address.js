/** Shows the address of this platform in the programs of an operation, in place of the one of `make serve`. */

const written = "http://127.0.0.1:8000";
const home = new URL(document.documentElement.dataset.root, location.href).href.replace(/\/$/, "");

for (const program of document.querySelectorAll("pre")) {
  const texts = document.createTreeWalker(program, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = texts.currentNode.data.replaceAll(written, home);
  }
}
