// The chat: brings the prompt, the answers and the page around them together.

import { follow, press, running, stop } from "./answers.js";
import * as composer from "./composer.js";
import * as files from "./files.js";
import { announce, followScroll, forget, list, menu, stages, theme, toBottom } from "./view.js";
import { newId, open, Refused, request } from "./wire.js";

const log = document.getElementById("log");
const others = new BroadcastChannel("parley");
const side = menu();
const isBusy = () => running().length > 0;
const PENDING_MS = 150;
let unsent = { text: "", id: "" };

// The same text sent again after a lost connection is the same message.
function idOf(text) {
  const whole = `${files.names()}\n${text}`;
  if (unsent.text !== whole) unsent = { text: whole, id: newId() };
  return unsent.id;
}

async function ask(text, accepted) {
  const { conversation } = document.body.dataset;
  const unsee = showPending(text);
  let stream, value;
  try {
    stream = await open("/api/ask", {
      text, message_id: idOf(text), view: "page", ...(conversation && { conversation }),
      files: await files.uploads(),
    });
    ({ value } = await stream.events.next());
  } finally {
    unsee();
  }
  if (!value) throw new Refused("Parley stopped before it began. Please send it again.", 0);
  unsent = { text: "", id: "" };
  accepted();
  files.clear();
  const [, turn] = value;
  document.getElementById("welcome")?.remove();
  log.insertAdjacentHTML("beforeend", turn.html);
  settle(turn);
  toBottom();
  announce("Sent. The answer is being written.");
  document.dispatchEvent(new CustomEvent("parley:asked", { detail: turn }));
  follow(log.lastElementChild.querySelector(".answer"), stream);
}

// Shows a prompt that is not taken at once, as while Parley starts. Returns what takes it away.
function showPending(text) {
  let shown;
  const timer = setTimeout(() => {
    const copy = document.getElementById("pending").content.cloneNode(true);
    copy.querySelector(".said").textContent = text.slice(0, 2000);
    copy.querySelector(".words").textContent = document.getElementById("stages").hidden
      ? "Sending" : "Parley is starting. It will answer in a moment";
    shown = copy.firstElementChild;
    document.getElementById("welcome")?.setAttribute("hidden", "");
    log.append(shown);
    toBottom();
  }, PENDING_MS);
  return () => {
    clearTimeout(timer);
    shown?.remove();
    document.getElementById("welcome")?.removeAttribute("hidden");
  };
}

function settle({ conversation, title }) {
  if (!document.body.dataset.conversation) {
    document.body.dataset.conversation = conversation;
    history.replaceState(null, "", `/c/${conversation}`);
    document.title = title;
    document.querySelector(".bar-title").textContent = title;
  }
  list(conversation, title);
}

function stopLast() {
  const last = running().at(-1);
  if (last) stop(last).catch((error) => composer.show(error.message));
}

// Takes over what another tab has done: the list, and the conversation if it is this one.
async function refresh(conversation) {
  const fresh = new DOMParser().parseFromString(await (await request(location.href)).text(), "text/html");
  document.getElementById("threads").replaceWith(document.adoptNode(fresh.getElementById("threads")));
  if (conversation !== document.body.dataset.conversation || isBusy()) return;
  log.replaceChildren(...fresh.getElementById("log").childNodes);
  document.getElementById("welcome")?.remove();
  running().forEach((answer) => follow(answer));
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-do]");
  if (button?.dataset.do === "example") composer.fill(button.textContent);
  else if (button?.dataset.do === "forget") forget(button).catch((error) => composer.show(error.message));
  else if (button) press(button);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.target.id === "prompt") return;
  if (side.isOpen()) side.close();
  else stopLast();
});
document.addEventListener("parley:asked", ({ detail }) => others.postMessage(detail.conversation));
others.addEventListener("message", ({ data }) => refresh(data).catch(() => {}));
addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });

theme();
followScroll();
files.begin(composer.show);
composer.begin({ ask, stop: stopLast, isBusy });
if (log.childElementCount) toBottom();
running().forEach((answer) => follow(answer));
stages(composer.setTags).catch((error) => composer.show(error.message));
