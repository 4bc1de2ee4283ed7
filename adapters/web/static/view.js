// What the page shows around the conversation: its place, its voice, its list, its start.

import { open, request } from "./wire.js";

const NEAR_PX = 120;
const page = document.scrollingElement;
const down = document.getElementById("down");
const isAtBottom = () => page.scrollHeight - page.scrollTop - innerHeight < NEAR_PX;

export function toBottom() {
  page.scrollTop = page.scrollHeight;
}

// Changes the page; a reader at its end stays there, a reader further up is left alone. Where
// `whole` came at once and is longer than the view, it is shown from its beginning instead.
export function keepingBottom(change, whole) {
  const wasAtBottom = isAtBottom();
  change();
  if (wasAtBottom) toBottom();
  if (wasAtBottom && whole?.getBoundingClientRect().top < 0) whole.scrollIntoView();
  down.hidden = isAtBottom();
}

export function announce(words) {
  document.getElementById("announcer").textContent = words;
}

export function followScroll() {
  addEventListener("scroll", () => { down.hidden = isAtBottom(); }, { passive: true });
  down.addEventListener("click", () => { toBottom(); document.getElementById("prompt").focus(); });
}

// Puts a conversation at the top of the list.
export function list(conversation, title) {
  const threads = document.getElementById("threads");
  const address = `/c/${conversation}`;
  const known = [...threads.querySelectorAll("a")].find((a) => a.getAttribute("href") === address);
  const item = known?.parentElement
    ?? document.getElementById("thread").content.cloneNode(true).firstElementChild;
  if (!known) {
    const [link, button] = item.children;
    link.href = address;
    link.textContent = link.title = title;
    button.setAttribute("aria-label", `Delete: ${title}`);
  }
  for (const other of document.querySelectorAll(".side [aria-current]")) other.removeAttribute("aria-current");
  item.firstElementChild.setAttribute("aria-current", "page");
  threads.prepend(item);
}

// Asks, then forgets a conversation; the page moves on when it was the open one.
export async function forget(button) {
  const sure = document.getElementById("sure");
  sure.returnValue = "";
  sure.showModal();
  await new Promise((resolve) => sure.addEventListener("close", resolve, { once: true }));
  if (sure.returnValue !== "delete") return;
  const link = button.previousElementSibling;
  const conversation = link.getAttribute("href").slice("/c/".length);
  await request(`/api/conversations/${conversation}`, undefined, "DELETE");
  if (document.body.dataset.conversation === conversation) return location.assign("/");
  link.parentElement.remove();
  announce("Deleted.");
}

export function menu() {
  const side = document.getElementById("side");
  const button = document.getElementById("menu");
  const set = (isOpen) => {
    side.classList.toggle("open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? side.querySelector(".new") : button).focus();
  };
  button.addEventListener("click", () => set(!side.classList.contains("open")));
  document.getElementById("shade").addEventListener("click", () => set(false));
  return { isOpen: () => side.classList.contains("open"), close: () => set(false) };
}

export function theme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const named = () => button.setAttribute("aria-label", `Theme: ${root.dataset.theme ?? "as the system"}`);
  named();
  button.addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("parley.theme", root.dataset.theme);
    named();
  });
}

// Shows what is still loading; `onReady` is told the tags once all is there.
export async function stages(onReady) {
  const strip = document.getElementById("stages");
  if (strip.hidden) return;
  for await (const [name, data] of (await open("/api/stages")).events) {
    if (name === "stages") showStages(strip, data);
    if (name === "ready") {
      const demo = document.getElementById("demo");
      demo.textContent = data.demo;
      demo.hidden = !data.demo;
      strip.hidden = !strip.querySelector('[data-state="failed"]');
      announce(strip.hidden ? "Parley is ready." : "");
      onReady(data.tags);
    }
  }
}

function showStages(strip, data) {
  const failed = data.filter((stage) => stage.state === "failed");
  strip.querySelector(".stages-words").textContent =
    failed.map((stage) => stage.detail).join(" ") || "Starting. You can ask already.";
  strip.querySelector("ul").replaceChildren(...data.map((stage) => {
    const item = document.createElement("li");
    item.dataset.state = stage.state;
    item.textContent = stage.name;
    item.title = stage.detail || stage.state;
    return item;
  }));
}
