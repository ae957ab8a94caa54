// The table of generators: a click on a heading sorts by its column. The ranks are those of the sorted column.
const sortTable = (table, column, turned) => {
  const heads = all("thead th[data-column]", table), head = heads[column], button = one(".sort", head);
  const before = head.getAttribute("aria-sort"), bestFirst = button.dataset.higher === "1" ? "descending" : "ascending";
  const way = turned && before ? (before === "ascending" ? "descending" : "ascending") : bestFirst;
  const cellOf = (row) => all("td[data-rank]", row)[column], sign = way === "ascending" ? 1 : -1;
  const valueOf = (row) => { const text = cellOf(row).dataset.value; return text === undefined ? null : Number(text); };
  const rows = all("tbody tr", table).sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return (x === null) - (y === null); // generators without a figure are last
    return sign * (x - y);
  });
  heads.forEach((each) => { each.removeAttribute("aria-sort"); each.classList.toggle("chosen", each === head); });
  head.setAttribute("aria-sort", way);
  for (const row of rows) {
    const cell = cellOf(row), rank = one("td.rank", row);
    all("td[data-rank]", row).forEach((each) => each.classList.toggle("chosen", each === cell));
    if (rank) rank.textContent = cell.dataset.rank;
  }
  one("tbody", table).append(...rows);
};

for (const table of all(".ranks")) for (const head of all("th[data-column]", table)) {
  one(".sort", head).addEventListener("click", () => {
    sortTable(table, Number(head.dataset.column), true);
    const choice = one(`select[data-sorts="${table.id}"]`);
    if (choice) choice.value = head.dataset.column;
  });
}
for (const choice of all("select[data-sorts]")) { // a phone shows one figure at a time
  choice.addEventListener("change", () => sortTable(one(`#${choice.dataset.sorts}`), Number(choice.value), false));
}
