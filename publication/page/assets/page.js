// What the page does when scripts run: search and filters, links to rows, the passport of a figure.
// Everything is in the page already; nothing is fetched, and text is only ever set as text.
(function () {
  "use strict";
  const root = document.documentElement;
  const find = (selector, within = document) => within.querySelector(selector);
  const findAll = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  root.classList.add("scripted");

  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  // --- search and filters -------------------------------------------------------------------------------------
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
  const rows = findAll("#bang tr[data-code]").map((element) => ({
    element,
    code: element.dataset.code,
    section: element.parentElement.dataset.section,
    status: element.dataset.status,
    text: fold([".number", ".name", ".place", ".unit", ".figure", ".notes"]
      .map((selector) => (find(selector, element) || {}).textContent || "").join(" ")).split(/\s+/).join(" "),
    also: ` ${fold(element.dataset.also || "").split(/[\s;]+/).join(" ")} `,
  }));
  const form = find("form.controls");
  const [query, section, status] = ["tim", "phan", "trang-thai"].map((id) => document.getElementById(id));

  // The words as they stand side by side; where no row has them so, rows that have each somewhere: begun at least in
  // what is printed, whole in what it is also called.
  function matcher(words) {
    const phrase = words.join(" ");
    const together = (row) => row.text.includes(phrase) || row.also.includes(` ${phrase} `);
    if (rows.some(together)) return together;
    return (row) => words.every((word) => ` ${row.text}`.includes(` ${word}`) || row.also.includes(` ${word} `));
  }

  function suits(row, matches) {
    if (section.value && row.section !== section.value) return false;
    if (status.value === "+explained" && row.element.dataset.explained === undefined) return false;
    if (status.value === "+changed" && row.element.dataset.changed === undefined) return false;
    if (status.value && !status.value.startsWith("+") && row.status !== status.value) return false;
    return matches(row);
  }

  function filter() {
    const words = fold(query.value).split(/\s+/).filter(Boolean);
    const filtered = words.length > 0 || section.value !== "" || status.value !== "";
    const matches = matcher(words);
    let shown = 0;
    const found = new Set();
    for (const row of rows) {
      const fits = suits(row, matches);
      row.element.classList.toggle("out", !fits);
      if (fits) {
        shown += 1;
        found.add(row.section);
      }
    }
    // The row that opens a part stays above what was found in it.
    for (const row of rows) {
      if (row.element.classList.contains("section") && found.has(row.section)) row.element.classList.remove("out");
    }
    find(".nothing").hidden = shown > 0;
    document.getElementById("tim-thay").textContent = filtered
      ? `Tìm thấy ${shown} trên ${rows.length} dòng.` : `Đang xem tất cả ${rows.length} dòng.`;
  }

  let waiting = 0;
  query.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  section.addEventListener("change", filter);
  status.addEventListener("change", filter);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
  });
  form.addEventListener("reset", () => setTimeout(filter));
  filter();

  // --- search in a table of statistics --------------------------------------------------------------------------
  for (const field of findAll(".search-lines")) {
    const place = field.closest(".statistic");
    const lines = findAll("tbody tr", place).map((line) => [line, ` ${fold(line.textContent).split(/\s+/).join(" ")}`]);
    const told = find(".found", place);
    const look = () => {
      const words = fold(field.value).split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const [line, text] of lines) {
        const fits = words.every((word) => text.includes(word));
        line.classList.toggle("out", !fits);
        // Without a question the most frequent ones are enough to look at.
        line.classList.toggle("later", words.length === 0 && shown >= 10);
        shown += fits ? 1 : 0;
      }
      told.textContent = words.length ? `Tìm thấy ${shown} trên ${lines.length} thủ tục.`
        : `${Math.min(10, lines.length)} thủ tục nhiều hồ sơ nhất trong ${lines.length}; gõ tên để tìm thủ tục khác.`;
    };
    field.addEventListener("input", look);
    look();
  }

  // --- tables to copy, charts to embed ----------------------------------------------------------------------------
  function tableText(table) {
    return findAll("tr", table).filter((line) => line.offsetParent !== null || !table.offsetParent).map((line) => (
      Array.from(line.cells).filter((part) => !part.classList.contains("origin"))
        .map((part) => {
          const shown = part.textContent.trim().split(/\s+/).join(" ");
          // A spreadsheet of another country would take the dot of thousands for that of decimals.
          const text = /^-?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?%?$/.test(shown) ? shown.replaceAll(".", "") : shown;
          return /^'*[=+\-@＝＋－＠]/.test(text) && !/^-[0-9.,]+$/.test(text) ? `'${text}` : text;
        }).join("\t")
    )).join("\n");
  }

  // The clipboard's own interface asks for a permission that a page from disk may lack; a selection always copies.
  function copyText(text) {
    const field = make("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }

  function copyButton(label, name, text) {
    const told = make("span", { role: "status", class: "against" });
    const button = make("button", { type: "button", "aria-label": `${label}: ${name}` }, label);
    button.addEventListener("click", () => {
      told.textContent = copyText(text()) ? " Đã chép." : " Trình duyệt không cho chép.";
      button.focus();
    });
    return make("p", { class: "copy" }, button, told);
  }

  for (const table of findAll("table.statistics, figure table, #bang")) {
    const place = table.closest("figure, .statistic") || table.parentElement;
    const name = (find("h3, caption", place) || table).textContent.trim();
    (table.closest(".scroll") || table).after(copyButton("Chép bảng", name, () => tableText(table)));
  }
  for (const figure of findAll("figure[id]")) {
    const address = () => `${location.href.split("#")[0]}#nhung-${figure.id}`;
    const name = find("h3", figure).textContent;
    const quoted = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
    figure.append(copyButton("Chép mã nhúng", name, () => (
      `<iframe src="${quoted(address())}" title="${quoted(name)}" width="100%" height="420" loading="lazy"></iframe>`)));
  }
  // Opened by such a frame, the page is the one chart, how final it is, where it is from and what became of that.
  if (location.hash.startsWith("#nhung-")) {
    const figure = document.getElementById(decodeURIComponent(location.hash.slice("#nhung-".length)));
    if (figure !== null && figure.tagName === "FIGURE") {
      root.classList.add("embedded");
      const whole = make("a", { href: location.href.split("#")[0], target: "_top" }, document.title);
      const [release, validity] = ["release", "validity"].map((part) => find(`header [data-part=${part}]`));
      validity.target = "_top";
      find("main").replaceChildren(make("h1", { class: "unseen" }, document.title), ...findAll("header [data-part=standing]"), figure,
        make("p", { class: "by" }, "Nguồn: ", whole, `. ${release.textContent}. `, validity));
      return;
    }
  }

  // --- links to rows ------------------------------------------------------------------------------------------
  function showTarget() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id ? document.getElementById(id) : null;
    if (target === null) return;
    if (target.classList.contains("out")) {
      form.reset();
      filter();
    }
    target.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", showTarget);
  if (location.hash) showTarget();

  // --- passports ----------------------------------------------------------------------------------------------
  const data = document.getElementById("passports");
  const passports = JSON.parse(data.textContent);
  const rowsHeld = data.dataset.rows === "held";
  const dialog = document.getElementById("nguon-goc");
  const title = document.getElementById("nguon-goc-h");
  const body = find(".dialog-body", dialog);
  const nameOf = (code) => (find(".name", document.getElementById(code)) || {}).textContent || code;

  // "1234.5" as the form prints it: 1.234,5
  function printed(number) {
    const [whole, fraction] = number.split(".");
    return whole.replace(/\B(?=([0-9]{3})+$)/g, ".") + (fraction ? `,${fraction}` : "");
  }

  function rowNumbers(ranges) {
    const numbers = [];
    for (const range of ranges.split(",").filter(Boolean)) {
      const [first, last] = range.split("-").map(Number);
      for (let row = first; row <= (last || first); row += 1) numbers.push(row);
    }
    return numbers;
  }

  // The rule of the release's other CSV files: a text that a spreadsheet would run gets an apostrophe.
  function cell(value) {
    let text = value === null || value === undefined ? "" : String(value);
    if (typeof value === "string" && /^'*[=+\-@\t\r\n＝＋－＠]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  const unnamed = (share) => `${share.count} dòng không nêu tệp để không lộ số nhỏ`;

  function csvOf(code, passport) {
    const head = ["indicator_code", "role", "label_vi", "measure", "delivery_id", "source", "unit_code", "unit_name_vi",
      "quarter", "file_name", "sha256", "sheet", "row"];
    const lines = [head.join(",")];
    for (const part of passport.parts) {
      for (const share of part.files) {
        if (share.file === null) {
          lines.push([code, part.role, part.label_vi, part.measure, "", "", "", unnamed(share)].map(cell).join(",") + ",,,,,");
          continue;
        }
        const file = passports.files[share.file];
        const start = [code, part.role, part.label_vi, part.measure, file.delivery_id, file.source, file.unit_code,
          file.unit_name_vi, file.quarter, file.file_name, file.sha256, share.sheet].map(cell).join(",");
        for (const row of rowNumbers(share.rows)) lines.push(`${start},${row}`);
      }
    }
    return `\ufeff${lines.join("\n")}\n`; // Spreadsheets take the mark as a sign of UTF-8.
  }

  function download(name, text) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    const link = make("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  function filesTable(part) {
    const lines = part.files.map((share) => {
      if (share.file === null) {
        return make("tr", {}, make("th", { scope: "row" }, unnamed(share)), make("td", {}, "nhiều đơn vị"), make("td", {}),
          make("td", {}, `${share.count} dòng`), make("td", { class: "amount" }, printed(share.amount)));
      }
      const file = passports.files[share.file];
      const held = rowsHeld && share.rows
        ? make("details", {}, make("summary", {}, `${share.count} dòng`), make("p", { class: "rows" }, share.rows))
        : `${share.count} dòng`;
      return make("tr", {},
        make("th", { scope: "row" }, `${file.source_vi}, ${file.unit_name_vi}`, " ", make("span", { class: "place" }, file.file_name)), make("td", {}, `${file.source_vi}, ${file.unit_name_vi}, ${file.quarter}`),
        make("td", {}, share.sheet || ""), make("td", {}, held), make("td", { class: "amount" }, printed(share.amount)));
    });
    const heads = ["Tệp", "Loại số liệu, đơn vị gửi, quý", "Trang tính", "Dòng trong tệp", "Góp vào số này"];
    return make("div", { class: "scroll", role: "region", "aria-label": `Tệp đứng sau: ${part.label_vi}`, tabindex: "0" },
      make("table", { class: "plain" },
        make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
        make("tbody", {}, ...lines)));
  }

  function partSection(part, code) {
    const nodes = [make("h3", {}, part.label_vi, part.printed ? `: ${part.printed}` : "")];
    if (part.units_expected > 1) {
      nodes.push(make("p", {}, `Có số liệu của ${part.units_counted} trên ${part.units_expected} đơn vị.`));
    }
    if (part.indicator_code && part.indicator_code !== code) {
      const other = make("button", { type: "button", "data-passport": part.indicator_code },
        `Xem nguồn gốc của ${part.indicator_code}`);
      nodes.push(make("p", {}, other));
    }
    if (part.files.length) nodes.push(filesTable(part));
    return nodes;
  }

  function list(heading, items) {
    return items.length ? [make("h3", {}, heading), make("ul", {}, ...items.map((item) => make("li", {}, item)))] : [];
  }

  function show(code) {
    const passport = passports.figures[code];
    if (passport === undefined) return;
    const count = passport.parts.flatMap((part) => part.files).reduce((sum, share) => sum + share.count, 0);
    title.textContent = `${code} · ${nameOf(code)}`;
    body.replaceChildren(
      make("p", { class: "big" }, passport.printed || "Để trống"),
      make("p", {}, passport.status_vi),
      make("h3", {}, "Cách tính"), make("p", {}, passport.formula_vi),
      ...(passport.window ? [make("h3", {}, "Kỳ tính"), make("p", {}, passport.window.text_vi)] : []),
      ...passport.parts.flatMap((part) => partSection(part, code)),
      ...list("Quyết định giải trình", passport.decisions.map((decision) => `${decision.decision_id}: ${decision.text_vi}`)),
      ...list("Lưu ý", passport.notes_vi),
    );
    const actions = make("div", { class: "actions" });
    if (count > 0 && rowsHeld) {
      const save = make("button", { type: "button", class: "save" }, `Tải CSV (${count} dòng nguồn)`);
      const name = `nguon-goc_${document.body.dataset.unit}_${document.body.dataset.quarter}_${code}.csv`;
      save.addEventListener("click", () => download(name, csvOf(code, passport)));
      actions.append(save);
    } else if (count > 0) {
      actions.append(make("p", {}, "Danh sách dòng quá dài nên không đặt trong trang; xem tệp ",
        make("a", { href: "../quality/passports.json" }, "quality/passports.json"), " của bản công bố này."));
    }
    const close = make("button", { type: "button", class: "close" }, "Đóng");
    actions.append(close);
    body.append(actions);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    title.focus();
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-passport]");
    const figure = event.target.closest("td.figure.opens");
    if (opener) show(opener.dataset.passport);
    else if (figure && event.target.closest(".value")) find("[data-passport]", figure.parentElement).click();
    else if (event.target.closest("dialog .close") || event.target === dialog) dialog.close();
  });
  let opened = null;
  // A click on the figure is a short way for the mouse; the button of its row is the way for everyone.
  for (const button of findAll("[data-passport]")) {
    find(".figure", button.closest("tr")).classList.add("opens");
    button.addEventListener("click", () => { opened = button; });
  }
  dialog.addEventListener("close", () => { if (opened) opened.focus(); });
}());
