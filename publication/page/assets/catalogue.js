// Search and the choice of a quarter on the page over all releases. Nothing is fetched.
(function () {
  "use strict";
  document.documentElement.classList.add("scripted");
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
  const quarters = Array.from(document.querySelectorAll("section.quarter")).map((element) => ({
    element,
    lines: Array.from(element.querySelectorAll("tbody tr")).map((line) => ({
      line, text: fold(line.querySelector("th").textContent),
    })),
  }));
  const total = quarters.reduce((sum, quarter) => sum + quarter.lines.length, 0);
  const [query, chosen] = ["tim", "quy"].map((id) => document.getElementById(id));

  function filter() {
    const words = fold(query.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const quarter of quarters) {
      let within = 0;
      for (const { line, text } of quarter.lines) {
        const fits = words.every((word) => text.includes(word));
        line.classList.toggle("out", !fits);
        within += fits ? 1 : 0;
      }
      const open = within > 0 && (!chosen.value || chosen.value === quarter.element.dataset.quarter);
      quarter.element.hidden = !open;
      shown += open ? within : 0;
    }
    document.getElementById("tim-thay").textContent = words.length || chosen.value
      ? `Tìm thấy ${shown} trên ${total} báo cáo.` : `Đang xem tất cả ${total} báo cáo.`;
  }

  let waiting = 0;
  query.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  chosen.addEventListener("change", filter);
  const form = document.querySelector("form.controls");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
  // A page of a release leads here to what became of it.
  const open = () => {
    const line = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    const steps = line && line.querySelector("details");
    if (steps) steps.open = true;
  };
  addEventListener("hashchange", open);
  open();
}());
