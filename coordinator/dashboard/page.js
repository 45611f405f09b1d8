// The status page: asks the API once a second and draws what it says. Who logs in with a name has a
// cookie that no script can read; a token is kept only as long as the tab lives.

const PERIOD_MS = 1000;
const KEY = "farmhand-token";
const TONES = {
  idle: "good", finished: "good", busy: "work", reserved: "work", printing: "work", leased: "work",
  preparing: "work", needs_clearing: "care", offline: "care", lost: "bad", in_service: "care",
  cancelling: "care", faulted: "bad", failed: "bad",
};
const $ = (id) => document.getElementById(id);

// A fragment is never sent to a server; it leaves the address bar (and the history) at once.
const brought = new URLSearchParams(location.hash.slice(1)).get("token");
if (brought) {
  sessionStorage.setItem(KEY, brought);
  history.replaceState(null, "", location.pathname);
}

let me = null;  // who the farm takes us for: null while it was not asked, false for nobody

function credential() {
  const token = sessionStorage.getItem(KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function may(permission) {
  return me.permissions.includes(permission);
}

async function ask(method, path, body) {
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers: credential(),
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const document_ = await response.json();
  if (response.ok) return document_;
  throw new Error(document_.code === "no_credential" ? document_.code : document_.detail);
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function duration(seconds) {
  if (seconds === null) return "";
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return "less than a minute left";
  return minutes < 60 ? `${minutes} min left` : `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

function words(state) {
  return state.replaceAll("_", " ");
}

function title(name, state) {
  return element("h3", {}, element("span", { textContent: name }),
    element("span", { className: "state", textContent: words(state) }));
}

function temperatures(live) {
  return Object.entries(live.temperatures).map(([sensor, { actual_celsius, target_celsius }]) =>
    `${sensor} ${actual_celsius.toFixed(0)}${target_celsius ? ` / ${target_celsius.toFixed(0)}` : ""} °C`,
  ).join(" · ");
}

function printerCard(printer) {
  const live = printer.live;
  const card = element("li", { className: TONES[printer.status] ?? "" },
    title(printer.name, printer.status));
  card.append(element("p", { textContent: [printer.material, printer.printer_class].filter(Boolean).join(" · ") }));
  if (live && printer.online) {
    card.append(element("p", { textContent: temperatures(live) }));
    if (printer.run && live.run_id === printer.run.id) {  // not of the run before
      card.append(
        element("progress", { max: 1, value: live.progress_ratio, ariaLabel: `progress of ${printer.name}` }),
        element("p", { textContent: [
          printer.job?.name, `${Math.floor(live.progress_ratio * 100)} %`,
          live.layer_count ? `layer ${live.layer} of ${live.layer_count}` : "",
          duration(live.remaining_s)].filter(Boolean).join(" · ") }));
    }
  }
  if (printer.message) card.append(element("p", { textContent: printer.message }));
  if (printer.quarantine) card.append(element("p", { textContent: printer.quarantine }));
  card.append(element("p", { textContent: bed(printer.bed) }));
  if (printer.staged.length) {
    const names = printer.staged.map(({ job, permitted }) => permitted ? job.name : `(${job.name})`);
    card.append(element("p", { textContent: `next, by itself: ${names.join(", ")}` }));
  }
  if (!printer.run && printer.bed.state !== "clear" && may("printers:operate")) {
    const button = element("button", { type: "button", textContent: "The bed is clear" });
    button.dataset.key = `clear-${printer.id}`;
    button.ariaLabel = `The bed of ${printer.name} is clear`;
    button.addEventListener("click", () => act(button, `/printers/${encodeURIComponent(printer.id)}/clear`));
    card.append(button);
  }
  return card;
}

function bed({ state, policy, changed_by }) {
  const who = changed_by ? ` (${changed_by})` : "";
  const itself = policy === "self_clearing" ? ", clears itself" : "";
  return `bed: ${state === "clearing" ? "being cleared" : state}${who}${itself}`;
}

// A picture wants the token too, so it is fetched, once, and shown from memory.
const pictures = new Map();
const PICTURES_MAX = 100;
const PICTURE_PX = 96;

function picture(job) {
  const shown = job.plates.flatMap((plate) => Object.entries(plate.pictures))
    .filter(([shows]) => shows.startsWith("plate-"));
  if (!shown.length) return [];
  shown.sort(([a], [b]) => parseInt(a.slice(6)) - parseInt(b.slice(6)));
  const [, url] = shown.find(([shows]) => parseInt(shows.slice(6)) >= PICTURE_PX) ?? shown.at(-1);
  if (!pictures.has(url)) {
    if (pictures.size >= PICTURES_MAX) forget(pictures.keys().next().value);
    pictures.set(url, load(url).catch(() => { pictures.delete(url); }));
  }
  const image = element("img", { alt: `the plate of ${job.name}` });
  pictures.get(url).then((source) => { if (source) image.src = source; else image.remove(); });
  return [image];
}

async function load(url) {
  const response = await fetch(url, {
    headers: credential(),
    signal: AbortSignal.timeout(10_000),
  });
  return response.ok ? URL.createObjectURL(await response.blob()) : "";
}

function forget(url) {
  pictures.get(url).then((source) => { if (source) URL.revokeObjectURL(source); });
  pictures.delete(url);
}

function jobCard(job) {
  const card = element("li", { className: TONES[job.state] ?? "" },
    title(job.name, job.held ? "paused" : job.state),
    ...picture(job),
    element("p", { textContent: `${job.copies_finished} of ${job.copies} done` +
      (job.copies_live ? `, ${job.copies_live} printing` : "") }));
  if (!job.approved && may("jobs:manage") && !["finished", "failed", "cancelled"].includes(job.state)) {
    const button = element("button", { type: "button", textContent: "Approve" });
    button.dataset.key = `approve-${job.id}`;
    button.ariaLabel = `Approve ${job.name} of ${job.owner}`;
    button.addEventListener("click", () => act(button, `/jobs/${encodeURIComponent(job.id)}/approve`));
    card.append(button);
  }
  if (job.preparing_ratio !== null) {
    card.append(element("progress", { max: 1, value: job.preparing_ratio, ariaLabel: `slicing ${job.name}` }));
  }
  if (job.reason) card.append(element("p", { textContent: job.reason }));
  for (const wait of job.waits.slice(0, 3)) {
    if (wait.words === job.reason) continue;
    card.append(element("p", { textContent: [wait.printer_id, wait.words].filter(Boolean).join(": ") }));
  }
  return card;
}

async function act(button, path) {
  button.disabled = true;
  try {
    await ask("POST", path);
    await refresh();
  } catch (error) {
    say(error.message, true);
    button.disabled = false;
  }
}

function say(text, lost) {
  $("link").textContent = text;
  $("link").className = lost ? "lost" : "";
  $("farm").classList.toggle("stale", lost);
}

// A redraw must not take the keyboard's place from a person.
function fill(list, cards) {
  const key = document.activeElement?.dataset?.key;
  list.replaceChildren(...(cards.length ? cards : [element("li", { textContent: "none" })]));
  if (key) list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

async function refresh() {
  const [printers, jobs] = await Promise.all([
    ask("GET", "/printers"), may("farm:read") ? ask("GET", "/jobs") : { items: [] }]);
  fill($("printers"), printers.items.map(printerCard));
  fill($("jobs"), jobs.items.reverse().slice(0, 30).map(jobCard));
  const waiting = printers.items.filter((printer) => printer.status === "needs_clearing").length;
  document.title = waiting ? `(${waiting}) Farmhand` : "Farmhand";
  say(`as of ${new Date().toLocaleTimeString()}`, false);
}

function show(known) {
  $("login").hidden = known;
  $("farm").hidden = $("leave").hidden = !known;
}

// Draw what this browser may see, if it may; else say why not.
async function look(failing) {
  try {
    me ||= await ask("GET", "/me");
    await refresh();
    show(true);
  } catch (error) {
    if (error.message === "no_credential") leave(failing);
    else say(`not live: ${error.message}`, true);
  }
}

async function loop() {
  if (me !== false && !document.hidden) await look("log in to see the farm");
  setTimeout(loop, PERIOD_MS);
}

function leave(reason) {
  me = false;
  sessionStorage.removeItem(KEY);
  [...pictures.keys()].forEach(forget);
  show(false);
  say(reason, false);
}

const failed = new URLSearchParams(location.hash.slice(1)).get("login");
if (failed) {
  history.replaceState(null, "", location.pathname);
  leave(`logging in failed: ${words(failed)}`);
}
ask("GET", "/login").then((ways) => { $("openid").hidden = !ways.openid; }).catch(() => {});

$("account").addEventListener("submit", async (event) => {
  event.preventDefault();
  sessionStorage.removeItem(KEY);
  try {
    me = await ask("POST", "/session", { name: $("name").value.trim(), password: $("password").value });
    await look("this browser keeps no cookies of the farm");
  } catch (error) {
    say(error.message, false);
  }
  $("password").value = "";
});
$("with-token").addEventListener("submit", async (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $("token").value.trim());
  $("token").value = "";
  me = null;
  await look("This token is not the farm's.");
});
$("leave").addEventListener("click", async () => {
  if (!sessionStorage.getItem(KEY)) await ask("DELETE", "/session").catch(() => {});
  leave("logged out");
});
loop();
