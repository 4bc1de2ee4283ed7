// What is sent before the page's scripts are there waits for them: `composer.js` sends it.
const { dataset } = document.documentElement;
const wait = (event) => {
  if ("ready" in dataset) return;
  event.preventDefault();
  dataset.early = "";
};
document.addEventListener("submit", wait);
document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing;
  if (sends && event.target.id === "prompt") wait(event);
});
