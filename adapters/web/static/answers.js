// Answers as they are written, and the buttons under them.

import { newId, open, Refused, request } from "./wire.js";
import { announce, keepingBottom } from "./view.js";

const RETRY_MS = [300, 1000, 2000, 4000];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const pathOf = (answer) => `/api/turns/${encodeURIComponent(answer.dataset.turn)}`;

export const running = () => [...document.querySelectorAll('.answer[aria-busy="true"]')];

// A browser opens only six connections to one host, for all of its tabs. So a page that is seen
// holds one stream, and a hidden one none: what it misses is there when it is seen again.
let current;
let following = 0;
let last = Promise.resolve();

document.addEventListener("visibilitychange", () => { if (document.hidden) current?.leave(); });

const untilSeen = () => new Promise((resolve) => {
  const check = () => {
    if (document.hidden) return;
    document.removeEventListener("visibilitychange", check);
    resolve();
  };
  document.addEventListener("visibilitychange", check);
  check();
});

// Follows an answer to its end, after those before it; `stream` was opened already.
export function follow(answer, stream) {
  if (following) stream?.leave();
  const kept = following ? undefined : stream;
  following++;
  last = last.then(() => watch(answer, kept)).finally(() => { following--; });
  return last;
}

async function watch(answer, stream) {
  for (let lost = 0; ; lost++) {
    try {
      await untilSeen();
      current = stream ?? await open(`${pathOf(answer)}/stream?view=page`);
      for await (const [name, data] of current.events) {
        lost = 0;
        apply(answer, name, data);
        if (name === "end") return;
      }
    } catch (error) {
      if (!(error instanceof Refused)) console.error(error);
      if (error.status) return fail(answer, error.message);
    }
    stream = undefined;
    if (document.hidden) continue;
    say(answer, "The connection was lost. Trying again");
    await pause(RETRY_MS[Math.min(lost, RETRY_MS.length - 1)]);
  }
}

function apply(answer, name, data) {
  const text = answer.querySelector(":scope > .text");
  if (name === "blocks") text.toggleAttribute("data-whole", !text.childElementCount);
  keepingBottom(() => {
    if (name === "blocks") show(text, data);
    if (name.startsWith("branch")) grow(answer.querySelector(".branches"), name, data);
    if (name === "status") say(answer, data.text || "Thinking");
    if (name === "end") end(answer, data);
  }, text.hasAttribute("data-whole") ? text : undefined);
}

function show(text, { keep, blocks }) {
  while (text.childElementCount > keep) text.lastChild.remove();
  text.insertAdjacentHTML("beforeend", blocks.join(""));
}

// A step of a debate, or a voice of an ensemble: a further text above the answer.
function grow(branches, name, data) {
  const known = [...branches.children].find((branch) => branch.dataset.branch === data.name);
  if (name === "branch") {
    known?.remove();
    return branches.insertAdjacentHTML("beforeend", data.html);
  }
  if (name === "branch_blocks") return show(known.querySelector(".text"), data);
  known.querySelector(".branch-end").innerHTML = data.html;
  known.removeAttribute("aria-busy");
}

function say(answer, words) {
  const shown = answer.querySelector(".status .words");
  if (shown) shown.textContent = words;
}

function end(answer, { status, html }) {
  answer.dataset.status = status;
  answer.querySelector(".ending").innerHTML = html;
  answer.removeAttribute("aria-busy");
  const notice = answer.querySelector(".ending .notice");
  announce(notice ? notice.textContent : "The answer is complete.");
  document.dispatchEvent(new Event("parley:quiet"));
}

function fail(answer, words) {
  end(answer, { status: "failed", html: "" });
  tell(answer, words);
}

function tell(answer, words) {
  answer.querySelector(".problem")?.remove();
  const notice = document.createElement("p");
  notice.className = "notice problem";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  answer.querySelector(".ending").append(notice);
}

export async function stop(answer) {
  say(answer, "Stopping");
  await request(`${pathOf(answer)}/stop`, {});
}

async function anew(answer, action, button) {
  button.disabled = true;
  const stream = await open(`${pathOf(answer)}/${action}`, { view: "page", event_id: newId() });
  const { value } = await stream.events.next();
  if (!value) throw new Refused("Parley stopped before it began. Please try again.", 0);
  const [, turn] = value;
  answer.insertAdjacentHTML("afterend", turn.html);
  const fresh = answer.nextElementSibling;
  fold(answer);
  document.dispatchEvent(new CustomEvent("parley:asked", { detail: turn }));
  await follow(fresh, stream);
  const isLost = document.activeElement === document.body;
  if (isLost) fresh.querySelector(`[data-do="${action}"]`)?.focus({ preventScroll: true });
}

// Puts an answer away, still readable, where it stands.
function fold(answer) {
  const details = document.createElement("details");
  details.className = "earlier";
  const summary = document.createElement("summary");
  const facts = answer.querySelector(".ending .footer")?.textContent;
  summary.textContent = facts ? `Earlier answer · ${facts}` : "Earlier answer";
  answer.replaceWith(details);
  details.append(summary, answer);
}

async function rate(answer, button, value) {
  await request(`${pathOf(answer)}/feedback`, { value });
  for (const face of answer.querySelectorAll(".face")) {
    face.setAttribute("aria-pressed", String(face === button));
  }
  announce("Noted, thank you.");
}

async function why(answer, button) {
  const open = answer.querySelector(".why");
  button.setAttribute("aria-expanded", String(!open));
  if (open) return open.remove();
  const { html } = await (await request(`${pathOf(answer)}/why`)).json();
  keepingBottom(() => answer.querySelector(".ending").insertAdjacentHTML("beforeend", html));
}

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const label = button.querySelector("span") ?? button;
  const before = label.textContent;
  label.textContent = "Copied";
  announce("Copied.");
  setTimeout(() => { label.textContent = before; }, 1500);
}

async function copyAnswer(answer, button) {
  const { text, notice } = await (await request(pathOf(answer))).json();
  await copy(button, text || notice);
}

function unfold(button) {
  const isOpen = button.previousElementSibling.classList.toggle("folded");
  button.setAttribute("aria-expanded", String(!isOpen));
  button.textContent = isOpen ? "Show all of it" : "Show less";
}

const ACTIONS = {
  stop: (answer) => stop(answer),
  again: (answer, button) => anew(answer, "again", button),
  heavier: (answer, button) => anew(answer, "heavier", button),
  good: (answer, button) => rate(answer, button, 1),
  bad: (answer, button) => rate(answer, button, -1),
  why: (answer, button) => why(answer, button),
  copy: (answer, button) => copy(button, button.closest("figure").querySelector("code").textContent),
  "copy-answer": (answer, button) => copyAnswer(answer, button),
  unfold: (answer, button) => unfold(button),
};

export async function press(button) {
  const answer = button.closest(".answer");
  try {
    await ACTIONS[button.dataset.do]?.(answer, button);
  } catch (error) {
    button.disabled = false;
    const words = error instanceof Refused ? error.message : "The browser did not allow that.";
    if (answer) tell(answer, words);
  }
}
