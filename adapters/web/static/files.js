// The files that go with the next prompt: chosen, dropped or pasted, each shown and removable.

const MOST = 5;
const MOST_BYTES = 14_000_000;
const input = document.getElementById("file");
const shown = document.getElementById("files");
const form = document.getElementById("composer");
let chosen = [];

export function begin(show) {
  const take = (files) => { show(add([...files])); };
  document.getElementById("attach").addEventListener("click", () => input.click());
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  document.getElementById("prompt").addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); take(event.clipboardData.files); }
  });
  addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.add("drop");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("drop"); });
  addEventListener("drop", (event) => {
    form.classList.remove("drop");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}

// Returns what to say when not all of them can go.
function add(files) {
  const all = [...chosen, ...files];
  const size = all.reduce((sum, file) => sum + file.size, 0);
  if (all.length > MOST) return `At most ${MOST} files can go with a prompt.`;
  if (size > MOST_BYTES) return `Together these files are larger than ${MOST_BYTES / 1e6} MB.`;
  chosen = all;
  render();
  return "";
}

function render() {
  shown.replaceChildren(...chosen.map(toChip));
  shown.hidden = !chosen.length;
}

function toChip(file) {
  const chip = document.createElement("li");
  const remove = document.createElement("button");
  remove.type = "button";
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Remove ${file.name}`);
  remove.addEventListener("click", () => { chosen = chosen.filter((each) => each !== file); render(); });
  chip.append(file.name, remove);
  return chip;
}

export const names = () => chosen.map(({ name, size }) => `${name}:${size}`).join("/");

export const uploads = () => Promise.all(chosen.map(toUpload));

async function toUpload(file) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(`${file.name} can't be read any more. Choose it again.`));
    reader.readAsDataURL(file);
  });
  return { name: file.name, type: file.type, data: url.slice(url.indexOf(",") + 1) };
}

export function clear() {
  chosen = [];
  render();
}
