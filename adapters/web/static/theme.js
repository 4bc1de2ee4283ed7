// Sets the colours before the page is drawn; loaded at once, so that nothing flashes.
const kept = localStorage.getItem("parley.theme");
if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
