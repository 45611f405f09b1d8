/** Where one can go: each view's address, what shows it, and where the frame leads to it. */

import type { ReactNode } from "react";
import type { Permission } from "./api/shapes";
import { later } from "./parts/later";
import { Live } from "./parts/live";
import { Farm } from "./views/farm";
import { ToDo } from "./views/todo";

export interface Place {
  /** As wouter reads it; `:id` reaches the view as its `id`. */
  path: string;
  show: (id: string) => ReactNode;
  /** Where the frame leads to it; views without one are reached from others. */
  link?: { words: string; at: "top" | "more"; needs?: Permission };
  /** It stands alone: a screen on the wall, a phone at the machine. */
  bare?: boolean;
  /** What has to be loaded for it, where people often begin there. */
  begins?: { ahead: () => void };
}

const Queue = later(() => import("./views/queue"), "Queue");
const Printer = later(() => import("./views/printer"), "Printer");
const Job = later(() => import("./views/job"), "Job");
const Models = later(() => import("./views/models"), "Models");
const Model = later(() => import("./views/model"), "Model");
const Generate = later(() => import("./views/generate"), "Generate");
const Generation = later(() => import("./views/generation"), "Generation");
const Materials = later(() => import("./views/materials"), "Materials");
const Maintenance = later(() => import("./views/maintenance"), "Maintenance");
const Agents = later(() => import("./views/agents"), "Agents");
const Updates = later(() => import("./views/updates"), "Updates");
const People = later(() => import("./views/people"), "People");
const Webhooks = later(() => import("./views/webhooks"), "Webhooks");
const Audit = later(() => import("./views/audit"), "Audit");
const DiskView = later(() => import("./views/disk"), "DiskView");
const Settings = later(() => import("./views/settings"), "Settings");
const Log = later(() => import("./views/log"), "Log");
const Account = later(() => import("./views/account"), "Account");
const Machine = later(() => import("./views/machine"), "Machine");
const Statistics = later(() => import("./views/statistics"), "Statistics");
const Labels = later(() => import("./views/labels"), "Labels");
const Begin = later(() => import("./views/begin"), "Begin");
export const Wall = later(() => import("./views/wall"), "Wall");

export const PLACES: readonly Place[] = [
  { path: "/", show: () => <Live><Farm /></Live>, link: { words: "Farm", at: "top" } },
  { path: "/todo", show: () => <Live><ToDo /></Live>, link: { words: "To do", at: "top" } },
  { path: "/queue", show: () => <Live><Queue /></Live>, begins: Queue, link: { words: "Queue", at: "top", needs: "farm:read" } },
  { path: "/models", show: () => <Models />, link: { words: "Models", at: "top", needs: "farm:read" } },
  { path: "/generate", show: () => <Live><Generate /></Live>, link: { words: "Generate", at: "top", needs: "jobs:submit" } },
  { path: "/printers/:id", show: (id) => <Live><Printer id={id} /></Live>, begins: Printer },
  { path: "/jobs/:id", show: (id) => <Job id={id} />, begins: Job },
  { path: "/models/:id", show: (id) => <Model id={id} /> },
  { path: "/generate/:id", show: (id) => <Generation id={id} /> },
  { path: "/statistics", show: () => <Statistics />, link: { words: "Statistics", at: "more", needs: "farm:read" } },
  { path: "/labels", show: () => <Live><Labels /></Live>, link: { words: "Labels", at: "more", needs: "farm:read" } },
  { path: "/materials", show: () => <Live><Materials /></Live>, link: { words: "Materials and spools", at: "more", needs: "farm:read" } },
  { path: "/maintenance", show: () => <Live><Maintenance /></Live>, link: { words: "Maintenance", at: "more", needs: "farm:read" } },
  { path: "/begin", show: () => <Live><Begin /></Live>, link: { words: "Add printers", at: "more", needs: "farm:admin" } },
  { path: "/agents", show: () => <Live><Agents /></Live>, link: { words: "Agents", at: "more", needs: "farm:admin" } },
  { path: "/updates", show: () => <Updates />, link: { words: "Updates of agents", at: "more", needs: "farm:admin" } },
  { path: "/people", show: () => <People />, link: { words: "People and keys", at: "more", needs: "farm:admin" } },
  { path: "/webhooks", show: () => <Webhooks />, link: { words: "Webhooks and notices", at: "more", needs: "farm:admin" } },
  { path: "/audit", show: () => <Audit />, link: { words: "Audit log", at: "more", needs: "history:read" } },
  { path: "/disk", show: () => <DiskView />, link: { words: "Disk and backups", at: "more", needs: "farm:admin" } },
  { path: "/settings", show: () => <Settings />, link: { words: "Settings and health", at: "more", needs: "farm:admin" } },
  { path: "/log", show: () => <Log />, link: { words: "Log", at: "more", needs: "farm:admin" } },
  { path: "/account", show: () => <Account />, link: { words: "My account", at: "more", needs: "account:own" } },
  { path: "/wall", show: () => <Live><Wall /></Live>, begins: Wall, link: { words: "Wall", at: "more" }, bare: true },
  { path: "/p/:id", show: (id) => <Live><Machine id={id} /></Live>, begins: Machine, bare: true },
];

/** Load what an address shows, while it is still found out who looks. */
export function ahead(address: string): void {
  const parts = address.split("/");
  const fits = (path: string): boolean =>
    path.split("/").every((part, at, { length }) => length === parts.length && (part.startsWith(":") ? parts[at] !== "" : part === parts[at]));
  PLACES.find(({ path }) => fits(path))?.begins?.ahead();
}
