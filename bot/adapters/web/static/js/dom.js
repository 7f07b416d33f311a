// Elements out of values. Text only ever becomes text, never markup.
const SVG = "http://www.w3.org/2000/svg";

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export const $ = (id) => document.getElementById(id);

const ROUTES = new Set(["factual", "creative", "companion"]);

/** A class for a route's colour; nothing for a name that is no route. */
export const routeClass = (route) => (ROUTES.has(route) ? route : "plain");

export function face(persona, size = "") {
  const circle = h("span", { class: `face ${size}`, "aria-hidden": "true" });
  if (!persona) circle.append(icon("masks"));
  else if (persona.has_avatar) {
    const image = h("img", { src: `/api/personas/${encodeURIComponent(persona.id)}/avatar`, alt: "" });
    image.addEventListener("error", () => circle.replaceChildren(initial(persona)));
    circle.append(image);
  } else circle.append(initial(persona));
  return circle;
}

const initial = (persona) => (Array.from(persona.name.trim())[0] ?? "?").toUpperCase();

/** Seconds as a person reads them. */
export function duration(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "–";
  if (seconds < 0.0995) return `${(seconds * 1000).toFixed(1)} ms`;
  return seconds < 0.9995 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}
