// The status page: draws what the API tells of the farm. Printers come over a WebSocket as they
// change; jobs are asked for when it says that one did. Who logs in with a name has a cookie that no
// script can read; a token is kept only as long as the tab lives.

const RETRY_MS = 1000;
const JOBS_SHOWN = 30;
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

// What the farm told: printers by id, whole, and the connection that it comes by.
const printers = new Map();
let socket = null;
let sequence = 0;
let jobsDue = false;

function hear(said) {
  if (said.kind === "snapshot") {
    printers.clear();
    for (const printer of said.printers) printers.set(printer.id, printer);
  } else if (said.sequence !== sequence + 1) {
    socket.send(JSON.stringify({ kind: "resync" }));
    return;
  } else {
    for (const id of said.gone?.printers ?? []) printers.delete(id);
    for (const [id, fields] of Object.entries(said.printers ?? {})) {
      printers.set(id, { ...printers.get(id), ...fields });
    }
  }
  sequence = said.sequence;
  draw();
  if (said.jobs || said.gone?.jobs.length) refreshJobs();
}

function draw() {
  const all = [...printers.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  fill($("printers"), all.map(printerCard));
  const waiting = all.filter((printer) => printer.status === "needs_clearing").length;
  document.title = waiting ? `(${waiting}) Farmhand` : "Farmhand";
  say(`as of ${new Date().toLocaleTimeString()}`, false);
}

async function refreshJobs() {
  if (jobsDue || !may("farm:read")) return;  // what is asked for in a moment shows this change too
  jobsDue = true;
  await new Promise((done) => setTimeout(done, 200));
  jobsDue = false;
  try {
    const jobs = await ask("GET", `/jobs?order=newest&limit=${JOBS_SHOWN}`);
    fill($("jobs"), jobs.items.map(jobCard));
  } catch (error) {
    say(`not live: ${error.message}`, true);
  }
}

// Browsers set no header on a WebSocket: a ticket, good for once, opens it.
async function connect() {
  const { ticket } = await ask("POST", "/live/tickets");
  const url = new URL(`/api/v1/live?ticket=${encodeURIComponent(ticket)}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  await new Promise((lost) => {
    socket = new WebSocket(url);
    socket.addEventListener("open", () => show(true));
    socket.addEventListener("message", ({ data }) => hear(JSON.parse(data)));
    socket.addEventListener("close", ({ reason }) => lost(say(`not live: ${reason || "no connection"}`, true)));
  });
}

function show(known) {
  $("login").hidden = known;
  $("farm").hidden = $("leave").hidden = !known;
}

// Look on as long as the farm lets us; resolves when the connection is lost.
async function look(failing) {
  try {
    me ||= await ask("GET", "/me");
    await connect();
  } catch (error) {
    if (error.message === "no_credential") leave(failing);
    else say(`not live: ${error.message}`, true);
  }
}

async function loop() {
  if (me !== false && !document.hidden) await look("log in to see the farm");
  setTimeout(loop, RETRY_MS);
}

function leave(reason) {
  me = false;
  sessionStorage.removeItem(KEY);
  socket?.close();
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
    say("one moment", false);
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
  say("one moment", false);
});
$("leave").addEventListener("click", async () => {
  if (!sessionStorage.getItem(KEY)) await ask("DELETE", "/session").catch(() => {});
  leave("logged out");
});
loop();
