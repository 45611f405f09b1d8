/** All that waits for a person: what the farm tells live, and what is asked now and then. */

import { useQuery } from "@tanstack/react-query";
import { get } from "../api/ask";
import type { HealthDocument, ItemsOfLackDocument, ItemsOfTaskDocument } from "../api/shapes";
import { tasks, type Task } from "../attention";
import { useCounts, useGenerations, useJobs, usePrinters } from "../live/store";
import { useSession } from "../session";

const LACKS_MS = 15_000;
const SELDOM_MS = 60_000;

export const TASKS_KEY = "tasks";

// Several places count them at once: they are found out for the first that asks.
let last: { of: readonly unknown[]; found: Task[] } = { of: [], found: [] };

function found(...of: Parameters<typeof tasks>): Task[] {
  const [printers, jobs, generations, asked] = of;
  const given = [printers, jobs, generations, asked?.lacks, asked?.maintenance, asked?.troubles];
  if (!last.of.length || given.some((each, at) => each !== last.of[at])) last = { of: given, found: tasks(...of) };
  return last.found;
}
const NONE: readonly never[] = [];

export function useTasks(): Task[] {
  const { may } = useSession();
  const printers = usePrinters();
  const jobs = useJobs();
  const generations = useGenerations();
  const waiting = useCounts().jobs;
  const reads = may("farm:read");
  const lacks = useQuery({
    // Another number of jobs that wait is a reason to look anew.
    queryKey: [TASKS_KEY, "lacks", waiting.ready ?? 0, waiting.received ?? 0],
    queryFn: ({ signal }) => get<ItemsOfLackDocument>("/materials/wanted", signal),
    placeholderData: (before) => before, refetchInterval: LACKS_MS, enabled: reads,
  });
  const maintenance = useQuery({
    queryKey: [TASKS_KEY, "maintenance"], queryFn: ({ signal }) => get<ItemsOfTaskDocument>("/maintenance?due=true", signal),
    refetchInterval: SELDOM_MS, enabled: reads,
  });
  const health = useQuery({
    queryKey: [TASKS_KEY, "health"], queryFn: ({ signal }) => get<HealthDocument>("/health", signal),
    refetchInterval: SELDOM_MS, enabled: reads,
  });
  return found(printers, jobs, generations, {
    lacks: lacks.data?.items ?? NONE, maintenance: maintenance.data?.items ?? NONE, troubles: health.data?.troubles ?? NONE,
  });
}
