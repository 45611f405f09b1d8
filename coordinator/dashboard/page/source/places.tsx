/** Where one can go: each view's address, what shows it, and where the frame leads to it. */

import { lazy, type ComponentType, type ReactNode } from "react";
import type { Permission } from "./api/shapes";
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
}

/** Load a view when somebody goes there. */
function later<Name extends string, Props>(
  load: () => Promise<Record<Name, ComponentType<Props>>>, name: Name,
): ComponentType<Props> {
  return lazy(async () => ({ default: (await load())[name] })) as ComponentType<Props>;
}

const Queue = later(() => import("./views/queue"), "Queue");
const Printer = later(() => import("./views/printer"), "Printer");
const Job = later(() => import("./views/job"), "Job");
const Models = later(() => import("./views/models"), "Models");
const Model = later(() => import("./views/model"), "Model");
const Generate = later(() => import("./views/generate"), "Generate");
const Generation = later(() => import("./views/generation"), "Generation");
const Machine = later(() => import("./views/machine"), "Machine");
export const Wall = later(() => import("./views/wall"), "Wall");

export const PLACES: readonly Place[] = [
  { path: "/", show: () => <Farm />, link: { words: "Farm", at: "top" } },
  { path: "/todo", show: () => <ToDo />, link: { words: "To do", at: "top" } },
  { path: "/queue", show: () => <Queue />, link: { words: "Queue", at: "top", needs: "farm:read" } },
  { path: "/models", show: () => <Models />, link: { words: "Models", at: "top", needs: "farm:read" } },
  { path: "/generate", show: () => <Generate />, link: { words: "Generate", at: "top", needs: "jobs:submit" } },
  { path: "/printers/:id", show: (id) => <Printer id={id} /> },
  { path: "/jobs/:id", show: (id) => <Job id={id} /> },
  { path: "/models/:id", show: (id) => <Model id={id} /> },
  { path: "/generate/:id", show: (id) => <Generation id={id} /> },
  { path: "/wall", show: () => <Wall />, link: { words: "Wall", at: "more" }, bare: true },
  { path: "/p/:id", show: (id) => <Machine id={id} />, bare: true },
];
