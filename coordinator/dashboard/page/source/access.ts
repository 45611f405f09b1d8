/** What roles and permissions let somebody do, in words. Pure. */

import type { Permission, Role } from "./api/shapes";

export const ROLES: Record<Role, string> = {
  admin: "everything: users, agents, settings, backups, and all that an operator may",
  operator: "the farm's daily work: everybody's jobs, printers, spools, maintenance, approval",
  submitter: "bring models and jobs, steer their own, look at everything else",
  viewer: "look, and change nothing but their own account",
  kiosk: "a screen on the wall: printers and counts, nothing else",
  agent: "an agent that has not enrolled: fetch plates, nothing else",
};

/** As they are offered to a person; agents enrol instead. */
export const ROLES_OF_PEOPLE: readonly Role[] = ["viewer", "submitter", "operator", "admin", "kiosk"];

export const PERMISSIONS: Record<Permission, string> = {
  "farm:read": "look at jobs, printers, plates and files",
  "wall:read": "see what a screen on the wall shows",
  "jobs:submit": "bring models and jobs; steer one's own",
  "jobs:manage": "steer everybody's jobs, approve, change the order",
  "printers:operate": "clear beds, settle runs, send commands, load spools",
  "printers:manage": "take printers into service; names, groups, materials",
  "history:read": "read the history of who did what",
  "plates:fetch": "fetch plates, as agents do",
  "account:own": "one's own password, sessions and keys",
  "agents:enroll": "enrol as an agent",
  "farm:admin": "users, keys, agents, webhooks, settings, disk, archives",
};
