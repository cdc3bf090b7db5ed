// What makes the admin panel smoother. Every page works without it.

/** A form is sent once: a second click while the first answer is on its way would book twice. */
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    form.querySelector("button:not([type=button])")?.setAttribute("aria-busy", "true");
  });
}

// Whoever comes back with the browser's button finds the page as it was kept, and may send again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

/** Says what is not saved yet, and asks before it is left behind. */
function guard(form) {
  const state = form.querySelector("[data-changes]");
  const fields = [...form.elements].filter((field) => field.name && field.type !== "hidden");
  const before = new Map(fields.map((field) => [field, field.value]));
  const changed = () => fields.filter((field) => field.value !== before.get(field));
  const labelOf = (field) => (field.labels[0]?.firstChild?.textContent ?? field.name).trim();

  const show = () => {
    const names = changed().map(labelOf);
    state.textContent = names.length ? `${state.dataset.changes} ${names.join(", ")}` : "";
  };
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  addEventListener("beforeunload", (event) => {
    // What came back from a refused try is unsaved although nothing was typed since.
    if (!form.dataset.sent && (changed().length || "unsaved" in form.dataset)) {
      event.preventDefault();
    }
  });
}
document.querySelectorAll("form[data-guard]").forEach(guard);

/** In a conflict: put the other admin's words into one's own form. */
for (const button of document.querySelectorAll("button[data-take]")) {
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.take);
    field.value = button.dataset.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  });
}

/** The chosen picture as the shop will show it. Drawn on a canvas, so that no address of a new kind has to be allowed. */
for (const canvas of document.querySelectorAll("canvas[data-preview-of]")) {
  const field = document.getElementById(canvas.dataset.previewOf);
  field.addEventListener("change", async () => {
    canvas.hidden = true;
    const [file] = field.files;
    if (!file) {
      return;
    }
    // What the browser cannot read, the server may: then there is no preview, and that is all.
    const picture = await createImageBitmap(file).catch(() => null);
    if (!picture) {
      return;
    }
    const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    canvas.hidden = false;
  });
}

/** What the stock will be after the change that is being typed. */
for (const line of document.querySelectorAll("[data-after]")) {
  const field = document.getElementById(line.dataset.after);
  const show = () => {
    const typed = field.value.replace(/\s/g, "").replace("\u2212", "-");
    if (!/^[+-]?\d{1,6}$/.test(typed) || Number(typed) === 0) {
      line.textContent = "";
      return;
    }
    const [stock, by] = [Number(line.dataset.stock), Number(typed)];
    const tooLow = Number(line.dataset.available) + by < 0;
    line.textContent = tooLow ? line.dataset.tooLow : `${line.dataset.says} ${stock} → ${stock + by}`;
    line.classList.toggle("admin-after--wrong", tooLow);
  };
  field.addEventListener("input", show);
  show();
}

// A filter that is chosen is applied; without scripts there is the button.
for (const field of document.querySelectorAll(".admin-filters select, .admin-filters input[type=checkbox]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// The menu closes with Escape, and the focus is back on what opened it.
for (const menu of document.querySelectorAll("details.admin-menu")) {
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
