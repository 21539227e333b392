// What scrolls can be reached by keyboard, so that everybody can read the end of a long line.
const reach = () => {
  for (const box of document.querySelectorAll("article :is(pre, .table-wrapper, p:has(> img))")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
window.addEventListener("load", reach);
window.addEventListener("resize", reach);
