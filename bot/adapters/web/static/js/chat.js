// The conversation as it stands on the boards.
import { $, duration, face, h, icon, routeClass } from "./dom.js";
import { rich } from "./rich.js";

const NEAR = 120;

/** A notice without the mark of small print. */
const unmarked = (text) => String(text ?? "").replace(/^-# /, "").trim();

function atEnd() {
  const boards = $("boards");
  return boards.scrollHeight - boards.scrollTop - boards.clientHeight < NEAR;
}

export function toEnd() {
  $("boards").scrollTop = $("boards").scrollHeight;
}

export function clear() {
  $("lines").replaceChildren();
}

export function mine(text) {
  $("lines").append(h("li", { class: "line mine" }, h("h3", { class: "hidden" }, "You"), h("div", { class: "words" }, text)));
  toEnd();
}

/** A turn of before the page was loaded: how it came about is not kept. */
export function past({ said, reply, persona, name, route }, known) {
  said.forEach(mine);
  if (!reply) return;
  const spoken = new Reply(known, () => {});
  spoken.text = reply;
  spoken.end({ persona: { id: persona, name: name || persona }, route: { route } }, known);
  spoken.peek.remove();
}

/** A reply while it is written and after. */
export class Reply {
  constructor(persona, onpeek) {
    this.text = "";
    this.account = null;
    this.drawing = false;
    this.face = face(persona, "small");
    this.name = h("b", {}, persona?.name ?? "…");
    this.pills = h("span");
    this.words = h("div", { class: "words" });
    this.under = h("div", { class: "under" });
    this.peek = h("button", { type: "button", class: "peek", "aria-pressed": "false", onclick: () => onpeek(this) }, icon("why"), "Behind the scenes");
    this.element = h("li", { class: "line theirs", "aria-busy": "true" }, this.face,
      h("h3", { class: "who" }, this.name, this.pills), this.words, this.under);
    $("lines").append(this.element);
    toEnd();
  }

  add(text) { this.show(this.text + text); }

  show(text) {
    this.text = text;
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => { this.drawing = false; this.draw(); });
  }

  draw() {
    const follow = atEnd();
    this.words.replaceChildren(...rich(this.text));
    if (follow) toEnd();
  }

  /** The turn is over: put up who spoke, and the way to the account. */
  end(account, persona) {
    this.account = account;
    // What was streamed last is whole: the account lacks what the program said under the reply.
    if (!this.text.trim() && typeof account.reply === "string") this.text = account.reply;
    const notice = unmarked(account.notice);
    // A notice may have come as text, too: it is said once.
    if (notice) this.text = this.text.split("\n").filter((line) => unmarked(line) !== notice).join("\n").trim();
    const follow = atEnd();
    this.element.setAttribute("aria-busy", "false");
    this.name.textContent = account.persona?.name ?? persona?.name ?? "Troupe";
    const fresh = face(persona ?? (account.persona ? { ...account.persona, has_avatar: false } : null), "small");
    this.face.replaceWith(fresh);
    this.face = fresh;
    const route = account.route?.route;
    this.pills.replaceChildren(...(route ? [h("span", { class: `pill ${routeClass(route)}` }, route)] : []));
    this.draw();
    const whole = account.timings?.total;
    this.under.replaceChildren(...[
      notice ? h("span", { class: "notice" }, notice) : null,
      this.peek, typeof whole === "number" ? h("span", {}, duration(whole)) : null,
    ].filter(Boolean));
    if (follow) toEnd();
  }

  /** The turn broke off; what is visible stays, unless nothing is. */
  fail(message) {
    this.element.setAttribute("aria-busy", "false");
    if (this.name.textContent === "…") this.name.textContent = "Troupe";
    this.draw();
    this.under.replaceChildren(h("span", { class: "notice" }, message));
    toEnd();
  }
}
