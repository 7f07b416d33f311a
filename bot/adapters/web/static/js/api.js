// The calls of the page. Every failure becomes a `Failure` with a code and a line for the person.
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const AWAY = "Troupe can't be reached. Is it still running?";

async function request(path, body, signal) {
  let response;
  try {
    response = await fetch(path, body === undefined ? { signal } : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("away", AWAY);
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw new Failure(answer?.error?.code ?? "failed", answer?.error?.message ?? "Something went wrong.");
}

const json = async (...call) => (await request(...call)).json();

export const state = () => json("/api/state");
export const login = (token) => json("/api/login", { token });
export const open = async () => (await json("/api/session", {})).session;
export const talk = async (session) => (await json("/api/talk", { session })).talk;
export const reset = (session) => json("/api/reset", { session });

/** Say something; yields the lines of the answer. Aborting `signal` stops the generation. */
export async function* say(session, text, persona, signal) {
  const response = await request("/api/say", { session, text, persona }, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += value;
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const line of lines.filter(Boolean).map((each) => JSON.parse(each))) {
        ended ||= line.type === "account" || line.type === "error";
        yield line;
      }
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("away", AWAY);
  }
  if (!ended) throw new Failure("away", "The reply broke off: Troupe went away.");
}
