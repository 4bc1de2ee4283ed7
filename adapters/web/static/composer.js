// The prompt: its draft, its tags, and the keys that send it.

const form = document.getElementById("composer");
const box = document.getElementById("prompt");
const tier = document.getElementById("tier");
const send = document.getElementById("send");
const hints = document.getElementById("hints");
const problem = document.getElementById("problem");
const TYPED = /(?:^|\s)@(?:model:)?([\w.-]*)$/;
const MOST_HINTS = 8;

let tags = JSON.parse(document.getElementById("tags").textContent);
let isSending = false;
const draftKey = () => `parley.draft.${document.body.dataset.conversation}`;

export const setTags = (fresh) => { tags = fresh; };

export function fill(text) {
  box.value = text;
  changed();
  box.focus();
}

// `ask` sends a prompt; `stop` ends what is being written, and says whether there was something.
export function begin({ ask, stop, isBusy }) {
  box.value ||= sessionStorage.getItem(draftKey()) ?? "";
  box.addEventListener("input", changed);
  box.addEventListener("keydown", (event) => keyed(event, stop));
  box.addEventListener("blur", () => setTimeout(closeHints, 150));
  tier.addEventListener("change", () => box.focus());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy() && !box.value.trim()) return stop();
    await submit(ask);
  });
  const refresh = () => showSend(isBusy());
  document.addEventListener("parley:quiet", refresh);
  document.addEventListener("parley:asked", refresh);
  box.addEventListener("input", refresh);
  changed();
  refresh();
  const { dataset } = document.documentElement;
  dataset.ready = "";
  if ("early" in dataset && box.value.trim()) setTimeout(() => form.requestSubmit());
}

async function submit(ask) {
  const typed = box.value.trim();
  if (!typed) return box.focus();
  if (isSending) return;
  isSending = true;
  form.setAttribute("aria-busy", "true");
  box.readOnly = true;
  show("");
  try {
    const text = tier.value && !typed.startsWith("@") ? `${tier.value} ${typed}` : typed;
    await ask(text, () => accepted(typed));
  } catch (error) {
    show(error.message);
  } finally {
    rest();
  }
}

function rest() {
  isSending = false;
  form.removeAttribute("aria-busy");
  box.readOnly = false;
}

function accepted(typed) {
  if (box.value.trim() === typed) box.value = "";
  sessionStorage.removeItem(draftKey());
  tier.value = "";
  rest();
  changed();
  box.focus();
}

export function show(words) {
  problem.textContent = words;
  problem.hidden = !words;
}

function changed() {
  if (!CSS.supports("field-sizing", "content")) {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }
  keepDraft();
  suggest();
}

function keepDraft() {
  try {
    sessionStorage.setItem(draftKey(), box.value);
  } catch {
    show("This text is too long for the browser to keep as a draft; it can be sent.");
  }
}

function showSend(isBusy) {
  const stops = isBusy && !box.value.trim();
  send.setAttribute("aria-label", stops ? "Stop" : "Send");
  send.querySelector("use").setAttribute("href", `/static/icons.svg#${stops ? "stop" : "send"}`);
  send.disabled = !stops && !box.value.trim();
}

function keyed(event, stop) {
  if (event.isComposing) return;
  if (!hints.hidden && hinted(event)) return event.preventDefault();
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    if (box.value.trim()) form.requestSubmit();
  }
  if (event.key === "Escape") stop();
}

// Tags that match what stands before the caret.
function suggest() {
  const typed = TYPED.exec(box.value.slice(0, box.selectionStart));
  const found = typed ? tags.filter(({ tag }) => tag.startsWith(typed[1].toLowerCase())) : [];
  if (!found.length || (found.length === 1 && found[0].tag === typed[1])) return closeHints();
  hints.replaceChildren(...found.slice(0, MOST_HINTS).map(toHint));
  hints.hidden = false;
  choose(0);
}

function toHint({ tag, about }, index) {
  const item = document.createElement("li");
  item.id = `hint-${index}`;
  item.setAttribute("role", "option");
  item.dataset.tag = tag;
  const words = document.createElement("span");
  words.textContent = about;
  item.append(`@${tag}`, words);
  item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(item); });
  return item;
}

function choose(index) {
  const items = [...hints.children];
  const chosen = (index + items.length) % items.length;
  items.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
  items[chosen].scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", items[chosen].id);
}

function hinted(event) {
  const at = [...hints.children].findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") return choose(at + 1), true;
  if (event.key === "ArrowUp") return choose(at - 1), true;
  if (event.key === "Enter" || event.key === "Tab") return take(hints.children[at]), true;
  if (event.key === "Escape") return closeHints(), true;
  return false;
}

function take(item) {
  const caret = box.selectionStart;
  const start = box.value.slice(0, caret).lastIndexOf("@");
  box.setRangeText(`@${item.dataset.tag} `, start, caret, "end");
  closeHints();
  box.dispatchEvent(new Event("input"));
}

function closeHints() {
  hints.hidden = true;
  box.removeAttribute("aria-activedescendant");
}
