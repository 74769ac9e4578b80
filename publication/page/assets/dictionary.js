// Search in the dictionary of tables and columns. Nothing is fetched.
(function () {
  "use strict";
  document.documentElement.classList.add("scripted");
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
  const groups = Array.from(document.querySelectorAll("section.group")).map((element) => ({
    element,
    tables: Array.from(element.querySelectorAll("details.table")).map((table) => ({
      table,
      text: fold(table.querySelector("summary").textContent),
      lines: Array.from(table.querySelectorAll("tbody tr")).map((line) => ({ line, text: fold(line.textContent) })),
    })),
  }));
  const query = document.getElementById("tim");

  function filter() {
    const words = fold(query.value).split(/\s+/).filter(Boolean);
    const fits = (text) => words.every((word) => text.includes(word));
    let [tables, columns] = [0, 0];
    for (const group of groups) {
      let within = 0;
      for (const { table, text, lines } of group.tables) {
        const whole = fits(text);
        let found = 0;
        for (const { line, text: words_of_line } of lines) {
          const shown = whole || fits(words_of_line);
          line.classList.toggle("out", !shown);
          found += shown ? 1 : 0;
        }
        const shown = whole || found > 0;
        table.classList.toggle("out", !shown);
        if (words.length) table.open = shown && !whole;
        within += shown ? 1 : 0;
        columns += shown ? found : 0;
      }
      group.element.hidden = within === 0;
      tables += within;
    }
    document.getElementById("tim-thay").textContent = words.length ? `Tìm thấy ${tables} bảng, ${columns} cột.` : "";
  }

  function openNamed() {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named && named.matches("details")) named.open = true;
  }

  let waiting = 0;
  query.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  const form = document.querySelector("form");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    for (const group of groups) for (const { table } of group.tables) table.open = false;
    filter();
  }));
  addEventListener("hashchange", openNamed);
  openNamed();
}());
