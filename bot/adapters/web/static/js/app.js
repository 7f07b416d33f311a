// The page's one state: a session, perhaps a reply under way, perhaps an account on view.
import * as api from "./api.js";
import { Cast, opening } from "./cast.js";
import * as chat from "./chat.js";
import { $ } from "./dom.js";
import { inspect } from "./inspector.js";

const KEPT = "troupe-session";
const ASKED = "troupe-asked";
let session = null;
let limit = 4000;
let greeting = 0;
let running = null;
let viewed = null;
let leaving = false;
const cast = new Cast(() => { greeting = 0; setTheStage(); });

// ── what is on show ────────────────────────────────────────────────────────────────────────

function setTheStage() {
  $("opening").hidden = $("lines").childElementCount > 0;
  if ($("opening").hidden) return;
  opening(cast.find(cast.chosen), { greeting, say, another: () => { greeting += 1; setTheStage(); } });
}

function complain(message) {
  $("oops").textContent = message ?? "";
  $("oops").hidden = !message;
}

function announce(line) { $("news").textContent = line; }

function measure() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  const over = text.value.length > limit;
  $("count").textContent = text.value.length > limit * 0.8 ? `${text.value.length} of ${limit}` : "";
  $("count").className = over ? "oops" : "";
  $("send").disabled = !text.value.trim() || over;
}

function busy(isBusy) {
  const held = document.activeElement === $("stop") || document.activeElement === $("send");
  $("send").hidden = isBusy;
  $("stop").hidden = !isBusy;
  $("new").disabled = isBusy;
  if (held) $("text").focus();
}

function view(reply, { open = false } = {}) {
  viewed?.peek.setAttribute("aria-pressed", "false");
  viewed = reply;
  viewed?.peek.setAttribute("aria-pressed", "true");
  inspect(reply?.account ?? null);
  if (!open) return;
  $("app").classList.add("peeking");
  $("why").focus();
}

function closeWhy() {
  if (!$("app").classList.contains("peeking")) return false;
  $("app").classList.remove("peeking");
  (viewed?.peek ?? $("text")).focus();
  return true;
}

// ── what this tab keeps while the page is loaded anew ───────────────────────────────────────

function keep(name, value) {
  try { sessionStorage.setItem(name, value); } catch { /* storage is off */ }
}

function kept(name) {
  try { return sessionStorage.getItem(name); } catch { return null; }
}

// ── a turn ─────────────────────────────────────────────────────────────────────────────────

async function say(text) {
  if (running || !session) return;
  complain(null);
  const persona = cast.chosen;
  chat.mine(text);
  setTheStage();
  const reply = new chat.Reply(cast.find(persona), (which) => view(which, { open: true }));
  running = new AbortController();
  keep(ASKED, text);
  busy(true);
  announce(`${cast.find(persona)?.name ?? "Troupe"} is writing.`);
  try {
    for await (const line of api.say(session, text, persona, running.signal)) {
      if (line.type === "add") reply.add(line.text);
      else if (line.type === "show") reply.show(line.text);
      else if (line.type === "error") throw new api.Failure(line.error.code, line.error.message);
      else if (line.type === "account") {
        reply.end(line.account, cast.find(line.account.persona?.id));
        view(reply);
        announce(`${reply.name.textContent}: ${reply.text || line.account.notice}`);
        if (["failed", "busy"].includes(line.account.outcome)) giveBack(text);
      }
    }
  } catch (error) {
    await broken(error, reply, text);
  } finally {
    running = null;
    if (!leaving) keep(ASKED, "");
    busy(false);
    measure();
  }
}

function giveBack(text) {
  if (!$("text").value) $("text").value = text;
}

async function broken(error, reply, text) {
  if (error.name === "AbortError") {
    reply.fail("Stopped.");
    announce("Stopped.");
    return;
  }
  reply.fail(error.message);
  announce(error.message);
  giveBack(text);
  if (error.code === "token") askForToken();
  if (error.code === "session") await goOn();
}

async function begin() {
  session = await api.open();
  keep(KEPT, session);
}

/** Go on with the conversation that this tab had before it, or the program, began anew. */
async function goOn() {
  const before = kept(KEPT);
  if (!before) return begin();
  try {
    const talk = await api.talk(before);
    if (!$("lines").childElementCount) talk.forEach((turn) => chat.past(turn, cast.find(turn.persona)));
    session = before;
    brokenOff(talk.at(-1));
  } catch (error) {
    if (error.code !== "session") throw error;
    await begin();
  }
}

/** Who loaded the page anew while a reply was written stopped it: the question is theirs again. */
function brokenOff(last) {
  const asked = kept(ASKED);
  keep(ASKED, "");
  if (!asked || last?.said.includes(asked)) return;
  giveBack(asked);
  measure();
  complain("The page was loaded anew before the reply was complete. Your message is in the box again.");
}

async function startOver() {
  if (running) return;
  try {
    if (session) {
      try { await api.reset(session); } catch (error) {
        if (error.code !== "session") throw error;
        await begin();
      }
    } else await begin();
    chat.clear();
    complain(null);
    view(null);
    setTheStage();
    announce("New conversation.");
    $("text").focus();
  } catch (error) { complain(error.message); }
}

// ── doors ──────────────────────────────────────────────────────────────────────────────────

function askForToken() {
  if (!$("login").open) $("login").showModal();
}

async function comeIn(event) {
  event.preventDefault();
  $("login-oops").hidden = true;
  try {
    await api.login($("token").value);
    $("token").value = "";
    $("login").close();
    await boot();
  } catch (error) {
    $("login-oops").textContent = error.message;
    $("login-oops").hidden = false;
    $("token").select();
  }
}

async function boot() {
  try {
    const { status, personas, limits } = await api.state();
    limit = limits.text;
    $("house").textContent = [status.model, status.backends.map((url) => url.replace(/^https?:\/\//, "")).join(", "), `v${status.version}`].filter(Boolean).join("  ·  ");
    $("banner").hidden = !status.rehearsal;
    $("banner").textContent = "Rehearsal: no Ollama answers, so a stand-in speaks the lines. Start Ollama for real replies.";
    cast.show(personas);
    try { if (!session) await goOn(); } finally { setTheStage(); }
    $("app").dataset.ready = "true";
    $("text").focus();
  } catch (error) {
    if (error.code === "token") askForToken();
    else complain(error.message);
  }
}

function listen() {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("text").value.trim();
    if (!text || text.length > limit || running || !session) return;
    $("text").value = "";
    measure();
    say(text);
  });
  $("text").addEventListener("input", measure);
  $("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("composer").requestSubmit();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !closeWhy()) running?.abort();
  });
  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });
  $("stop").addEventListener("click", () => running?.abort());
  $("new").addEventListener("click", startOver);
  $("why-close").addEventListener("click", closeWhy);
  $("theme").addEventListener("click", () => themed(globalThis.troupeTheme.next()));
  $("login-form").addEventListener("submit", comeIn);
  $("login").addEventListener("cancel", (event) => event.preventDefault());
}

function themed(choice) {
  const name = { system: "as the system", light: "light", dark: "dark" }[choice];
  $("theme").setAttribute("aria-label", `Colours: ${name}`);
  $("theme").title = `Colours: ${name}`;
}

listen();
themed(globalThis.troupeTheme.choice);
inspect(null);
measure();
boot();
