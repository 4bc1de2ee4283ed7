// Speaks with the server: JSON out, JSON or a stream of events back.

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const LOST = "Parley can't be reached. Is it still running? Your prompt is still here.";

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function request(url, body, method = body ? "POST" : "GET", signal = undefined) {
  let response;
  try {
    response = await fetch(url, {
      method,
      signal,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(LOST, 0);
  }
  if (response.redirected && new URL(response.url).pathname === "/login") location.reload();
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Refused(told.error ?? "That did not work. Please try again.", response.status);
}

// Opens a stream: its events, and a way to leave it before its end.
export async function open(url, body) {
  const leaving = new AbortController();
  const response = await request(url, body, undefined, leaving.signal);
  return { events: events(response), leave: () => leaving.abort() };
}

// Yields [name, data] for each event; ends when the connection does.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch(() => { throw new Refused(LOST, 0); });
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const found = /^event: (.*)\ndata: (.*)$/.exec(part);
      if (found) yield [found[1], JSON.parse(found[2])];
    }
  }
}
