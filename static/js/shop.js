// Makes the shop smoother. Nothing depends on it: every page works as plain HTML.

// A filter or an order that was chosen applies at once.
for (const field of document.querySelectorAll("[data-submit-on-change]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// What was not filled in does not clutter the address.
document.getElementById("filters")?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

// Buttons for one more and one less.
for (const box of document.querySelectorAll("[data-quantity]")) {
  const input = box.querySelector("input");
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button) return;
    button.dataset.step > 0 ? input.stepUp() : input.stepDown();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// An order is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}

// How long the cart is still held. It is announced once, while there is time to extend it.
const WARN_MINUTES = 5;
const hold = document.querySelector("[data-hold-until]");
if (hold) {
  const until = Date.parse(hold.dataset.holdUntil);
  const left = hold.querySelector("[data-hold-left]");
  const warning = hold.querySelector("[data-hold-warning]");
  const tick = () => {
    const minutes = Math.max(0, Math.floor((until - Date.now()) / 60_000));
    const over = Date.now() >= until;
    const words = over ? left.dataset.over : minutes === 1 ? left.dataset.one : left.dataset.many;
    left.textContent = words.replace("…", minutes);
    hold.classList.toggle("hold--soon", minutes < WARN_MINUTES);
    const announced = over ? left.dataset.over : minutes < WARN_MINUTES ? warning.dataset.holdWarning : "";
    if (warning.textContent !== announced) warning.textContent = announced;
    if (over) clearInterval(timer);
  };
  const timer = setInterval(tick, 10_000);
  tick();
  document.addEventListener("visibilitychange", tick);
}

// A page that comes back from the browser's memory shows the cart as the last page knew it.
const cart = document.querySelector("[data-cart]");
if (cart) {
  const parts = ["[data-cart-count]", "[data-cart-text]"].map((name) => cart.querySelector(name));
  const keep = () => {
    const [units, total] = parts.map((part) => part.textContent);
    sessionStorage.setItem("cart", JSON.stringify({ label: cart.getAttribute("aria-label"), units, total }));
  };
  const show = () => {
    const known = JSON.parse(sessionStorage.getItem("cart") ?? "null");
    if (!known) return;
    cart.setAttribute("aria-label", known.label);
    parts[0].textContent = known.units;
    parts[0].hidden = known.units === "";
    parts[1].textContent = known.total;
  };
  try {
    keep();
    window.addEventListener("pageshow", (event) => event.persisted && show());
  } catch {
    // A browser that keeps nothing shows the page as it was.
  }
}

// Suggestions while somebody types. Enter searches, as it does without them; the arrows walk through them.
const search = document.querySelector("[data-suggest]");
if (search) {
  const input = search.querySelector("input");
  const list = Object.assign(document.createElement("ul"), { id: "suggestions", className: "suggestions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", search.dataset.suggestLabel);
  search.append(list);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false",
  })) input.setAttribute(name, value);
  let timer, asked;
  const options = () => [...list.children];
  const show = (on) => {
    list.hidden = !on || list.children.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (list.hidden) choose(-1);
  };
  const choose = (chosen) => {
    options().forEach((option, at) => {
      option.id = `suggestion-${at}`;
      option.setAttribute("aria-selected", String(at === chosen));
    });
    chosen < 0 ? input.removeAttribute("aria-activedescendant") : input.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
  };
  const ask = () => {
    asked?.abort();
    if (input.value.trim().length < 2) return show(false);
    const request = (asked = new XMLHttpRequest());
    request.open("GET", `${search.dataset.suggest}?q=${encodeURIComponent(input.value)}`);
    // A document of its own, in which nothing runs: so no text is ever made into a part of this page.
    request.responseType = "document";
    // Without an answer there are no suggestions: the search works without them.
    request.onload = () => {
      if (request.status !== 200 || !request.response) return show(false);
      list.replaceChildren(...request.response.body.children);
      choose(-1);
      show(document.activeElement === input);
    };
    request.send();
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", (event) => {
    const chosen = options().findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") show(false);
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const count = options().length + 1;
      choose(((chosen + 1 + step + count) % count) - 1);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      location.assign(options()[chosen].querySelector("a").href);
    }
  });
  input.addEventListener("blur", () => setTimeout(() => search.contains(document.activeElement) || show(false), 150));
}
