// How a reply came about. Whatever is missing from an account is left out, never guessed.
import { $, duration, h, routeClass } from "./dom.js";

const number = (value) => (typeof value === "number" ? value.toLocaleString("en") : null);
const list = (value) => (Array.isArray(value) ? value : []);
const label = (name) => String(name).replaceAll("_", " ");
const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1) ?? "");

function part(title, beside, ...content) {
  return h("section", { class: "part" }, h("h3", {}, title, h("span", { class: "aside" }, beside ?? "")), ...content);
}

function fold(title, beside, open, ...content) {
  return h("details", { class: "part", open },
    h("summary", {}, h("span", {}, title), h("span", { class: "aside" }, beside ?? "")), ...content);
}

function bar(share) {
  const fill = h("i");
  fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return h("span", { class: "bar", "aria-hidden": "true" }, fill);
}

function route(account) {
  const decision = account.route;
  if (!decision) return null;
  const shares = Object.entries(decision.probabilities ?? {});
  const pills = [h("span", { class: `pill ${routeClass(decision.route)}` }, label(decision.route ?? "?"))];
  if (account.persona?.name) pills.push(h("span", { class: "pill plain" }, account.persona.name));
  if (decision.uncertain) pills.push(h("span", { class: "pill warn" }, "uncertain"));
  if (account.outcome) pills.push(h("span", { class: `pill ${account.outcome === "answered" ? "ok" : "warn"}` }, label(account.outcome)));
  const rows = shares.map(([name, share]) => h("li", { class: name === decision.route ? "picked" : null },
    h("span", { class: "name" }, label(name)), h("span", { class: routeClass(name) }, bar(share)),
    h("span", { class: "number" }, `${(share * 100).toFixed(1)} %`)));
  const reasons = list(decision.reasons);
  return part("Route", decision.source ? `decided by ${label(decision.source)}` : "",
    h("div", { class: "chosen" }, pills), h("ul", { class: "bars", "aria-label": "Probabilities" }, rows),
    reasons.length ? h("ul", { class: "reasons" }, reasons.map((reason) => h("li", {}, plain(reason)))) : null);
}

function budget(report) {
  const parts = list(report?.parts);
  if (!parts.length) return null;
  const used = parts.filter((each) => each.kept && each.tokens > 0);
  const total = used.reduce((sum, each) => sum + each.tokens, 0);
  const strip = used.map((each) => {
    const piece = h("i", { class: tone(parts.indexOf(each)), title: `${label(each.name)}: ${number(each.tokens)}` });
    piece.style.flexGrow = each.tokens;
    return piece;
  });
  const rows = parts.map((each, i) => h("tr", { class: each.kept ? null : "cut" },
    h("td", {}, h("span", { class: `swatch ${tone(i)}` }), label(each.name)),
    h("td", {}, each.kept ? "" : `cut: ${each.note}`), h("td", { class: "num" }, number(each.tokens) ?? "–")));
  const beside = `${number(total)} of ${number(report.limit)} tokens`;
  return part("Prompt", beside, h("div", { class: "budget", "aria-hidden": "true" }, strip),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Part"), h("th", {}, "Cut"), h("th", { class: "num" }, "Tokens"))),
      h("tbody", {}, rows)));
}

/** As many as a prompt has parts by name: system message, user persona, summary, examples, lore… */
const TONES = 12;
const tone = (i) => `tone-${i % TONES}`;

function messages(account) {
  const sent = list(account.messages);
  if (!sent.length) return null;
  return fold("Sent to the model", `${sent.length} messages`, false, sent.map((message) =>
    h("details", { class: "sent" },
      h("summary", {}, h("span", { class: "role-name" }, message.role ?? "?"),
        h("span", { class: "first" }, plain(message.content).slice(0, 120)),
        h("span", { class: "aside" }, `${number(plain(message.content).length)} chars`)),
      h("pre", { tabindex: "0" }, plain(message.content)))));
}

function quotes(title, items) {
  if (!items.length) return null;
  return fold(title, String(items.length), true, h("ul", { class: "quotes" },
    items.map((item) => h("li", {}, item?.text ?? item?.content ?? item?.name ?? plain(item)))));
}

const SEVERITY = { allow: "ok", steer: "warn", support: "warn", refuse: "bad" };

function verdicts(account) {
  const given = list(account.verdicts);
  if (!given.length) return null;
  const rows = given.map((verdict) => h("tr", {}, h("td", {}, label(verdict.stage ?? "–")),
    h("td", {}, h("span", { class: `pill ${SEVERITY[verdict.action] ?? "plain"}` }, verdict.action ?? "?")),
    h("td", {}, [verdict.category, verdict.rule].filter(Boolean).join(" · ") || "–")));
  return part("Guardrails", "", h("table", {}, h("thead", {}, h("tr", {}, ["Stage", "Verdict", "Why"].map((head) => h("th", {}, head)))), h("tbody", {}, rows)));
}

function timings(account) {
  const stages = Object.entries(account.timings ?? {}).filter(([, seconds]) => typeof seconds === "number");
  if (!stages.length) return null;
  const most = Math.max(...stages.map(([, seconds]) => seconds), 1e-9);
  return part("Timings", account.tokens ? `${number(account.tokens.prompt) ?? "–"} tokens in, ${number(account.tokens.reply) ?? "–"} out` : "",
    h("ul", { class: "bars thin" }, stages.map(([stage, seconds]) => h("li", {},
      h("span", { class: "name" }, label(stage)), bar(seconds / most), h("span", { class: "number" }, duration(seconds))))));
}

function character(drift) {
  if (!drift) return "";
  const notes = [...list(drift.reasons), typeof drift.judge === "number" && `the judge model says ${Math.round(100 * drift.judge)} %`, drift.drafts > 1 && "written again", drift.reminded && "reminded"].filter(Boolean);
  return `${Math.round(100 * drift.score)} %${notes.length ? ` (${notes.join(", ")})` : ""}`;
}

function facts(account) {
  const rows = Object.entries({ "In character": character(account.drift), Model: account.model, Backend: account.backend, Trigger: account.trigger, Turn: account.turn })
    .filter(([, value]) => value);
  if (!rows.length) return null;
  return part("Machinery", "", h("dl", { class: "facts" }, rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, plain(value))])));
}

/** Show an account, or with null what the panel is for. */
export function inspect(account) {
  const empty = h("p", { class: "empty" }, "Each reply tells how it came about: the route and its odds, every message the model was sent, the lore and memories used, what the guardrails said, and where the time went.");
  $("account").replaceChildren(...(account ? [route, (a) => budget(a.report), messages, (a) => quotes("Lore", list(a.lore)),
    (a) => quotes("Memories", list(a.memories)), verdicts, timings, facts].map((show) => show(account)).filter(Boolean) : [empty]));
  $("why").scrollTop = 0;
}
