// What scrolls can be reached by keyboard, so that everybody can read the end of a long line.
const reach = () => {
  for (const box of document.querySelectorAll("article :is(pre, .table-wrapper)")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
// Where a phone shows the row of a table as a block, each cell but the first names its column.
const nameCells = () => {
  for (const table of document.querySelectorAll("article table.docutils")) {
    const heads = [...table.querySelectorAll("th")].map((head) => head.textContent);
    for (const cell of table.querySelectorAll("td:not(:first-child)")) cell.dataset.head = heads[cell.cellIndex];
  }
};
window.addEventListener("load", nameCells);
window.addEventListener("load", reach);
window.addEventListener("resize", reach);
