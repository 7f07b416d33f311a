// A small part of Markdown, as chat uses it, built from nodes. Links stay text on purpose: what a
// model calls a link may lead anywhere.
import { h } from "./dom.js";

const INLINE = /(`[^`\n]+`)|(\*\*[^*\n]+(?:\*[^*\n]+\*[^*\n]*)*\*\*)|(\*[^*\s](?:[^*\n]*[^*\s])?\*)|((?<![\w])_[^_\s](?:[^_\n]*[^_\s])?_(?![\w]))/;
const MAX_DEPTH = 3;

function inline(text, depth = 0) {
  const nodes = [];
  let rest = text;
  while (rest) {
    const found = depth < MAX_DEPTH ? INLINE.exec(rest) : null;
    if (!found) { nodes.push(rest); break; }
    if (found.index) nodes.push(rest.slice(0, found.index));
    const [whole, code, strong] = found;
    if (code) nodes.push(h("code", {}, whole.slice(1, -1)));
    else if (strong) nodes.push(h("strong", {}, inline(whole.slice(2, -2), depth + 1)));
    else nodes.push(h("em", {}, inline(whole.slice(1, -1), depth + 1)));
    rest = rest.slice(found.index + whole.length);
  }
  return nodes;
}

const withBreaks = (lines) => lines.flatMap((line, i) => (i ? [h("br"), ...inline(line)] : inline(line)));

const BLOCKS = [
  [/^[-*•] +/, (lines) => h("ul", {}, lines.map((line) => h("li", {}, inline(line))))],
  [/^\d{1,3}[.)] +/, (lines) => h("ol", {}, lines.map((line) => h("li", {}, inline(line))))],
  [/^> ?/, (lines) => h("blockquote", {}, withBreaks(lines))],
  [/^#{1,4} +/, (lines) => h("p", { class: "heading" }, withBreaks(lines))],
  [/^-# +/, (lines) => h("p", { class: "small" }, withBreaks(lines))],
];

const blockOf = (line) => BLOCKS.find(([mark]) => mark.test(line));

function prose(text) {
  const blocks = [];
  for (const paragraph of text.split(/\n[ \t]*\n+/)) {
    let run = null;
    for (const line of paragraph.split("\n").filter((each) => each.trim())) {
      const kind = blockOf(line);
      if (!run || run.kind !== kind) blocks.push((run = { kind, lines: [] }));
      run.lines.push(kind ? line.replace(kind[0], "") : line);
    }
  }
  return blocks.map(({ kind, lines }) => (kind ? kind[1](lines) : h("p", {}, withBreaks(lines))));
}

/** Return the nodes of a reply, finished or not: an open fence is code up to the end. */
export function rich(text) {
  return text.split(/^```/m).flatMap((chunk, i) => {
    if (i % 2 === 0) return prose(chunk);
    const body = chunk.includes("\n") ? chunk.slice(chunk.indexOf("\n") + 1) : chunk;
    return [h("pre", { tabindex: "0" }, h("code", {}, body.replace(/\n$/, "")))];
  });
}
