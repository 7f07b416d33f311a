// Who answers: the router, or one persona.
import { $, face, h, icon, routeClass } from "./dom.js";
import { rich } from "./rich.js";

const SUGGESTIONS = [
  ["factual", "Why is the sky dark at night?"],
  ["creative", "Tell me a story about a lighthouse that was afraid of the dark."],
  ["companion", "I had a long day and nobody to tell about it."],
];

export class Cast {
  constructor(onchange) {
    this.personas = [];
    $("cast").addEventListener("submit", (event) => event.preventDefault());
    $("cast").addEventListener("change", () => onchange());
  }

  show(personas) {
    const before = this.chosen;
    this.personas = personas;
    const roles = [role("", "Let the router choose", "Each message goes to the persona that suits it", null, [])];
    for (const persona of personas) {
      roles.push(role(persona.id, persona.name, persona.tagline, persona, persona.routes ?? []));
    }
    $("roles").replaceChildren(...roles);
    const inputs = [...$("roles").querySelectorAll("input")];
    (inputs.find((input) => input.value === (before ?? "")) ?? inputs[0]).checked = true;
  }

  /** The chosen persona's id, or null for the router. */
  get chosen() {
    return new FormData($("cast")).get("persona") || null;
  }

  find(id) {
    return this.personas.find((persona) => persona.id === id) ?? null;
  }
}

function role(value, name, tagline, persona, routes) {
  const dots = routes.map((route) => h("span", { class: `dot ${routeClass(route)}`, title: route }));
  return h("label", { class: "role" },
    h("input", { type: "radio", name: "persona", value }),
    face(persona),
    h("b", {}, name, dots, routes.length ? h("span", { class: "hidden" }, ` plays ${routes.join(", ")}`) : null),
    h("span", { class: "tagline" }, tagline ?? ""));
}

/** Fill the empty stage: who stands there, how they open, what one could say. */
export function opening(persona, { greeting = 0, say, another }) {
  const greetings = persona?.greetings ?? [];
  const parts = [face(persona, "large"), h("h2", {}, persona?.name ?? "The stage is yours"),
    h("p", {}, persona?.tagline ?? "Say anything. The router listens and sends on whoever suits: to look it up, to make it up, or to keep you company.")];
  if (persona?.tags?.length) parts.push(h("ul", { class: "tags" }, persona.tags.slice(0, 8).map((tag) => h("li", {}, tag))));
  if (greetings.length) {
    const line = greetings[greeting % greetings.length];
    parts.push(h("blockquote", { class: "words", id: "greeting" }, rich(line)));
  }
  if (greetings.length > 1) {
    parts.push(h("button", { type: "button", class: "quiet", onclick: another }, icon("new"), "Another greeting"));
  }
  if (!persona) {
    parts.push(h("ul", { class: "prompts" }, SUGGESTIONS.map(([route, text]) =>
      h("li", {}, h("button", { type: "button", onclick: () => say(text) }, h("span", { class: `dot ${route}` }), text)))));
  }
  $("opening").replaceChildren(...parts);
}
