/** All that waits for a person: what the farm tells live, and what is asked now and then. */

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { get } from "../api/ask";
import type { HealthDocument, ItemsOfLackDocument, ItemsOfTaskDocument } from "../api/shapes";
import { tasks, type Task } from "../attention";
import { useCounts, useGenerations, useJobs, usePrinters } from "../live/store";
import { useSession } from "../session";

const LACKS_MS = 15_000;
const SELDOM_MS = 60_000;

export const TASKS_KEY = "tasks";

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
  const [lacking, due, troubles] = [lacks.data?.items, maintenance.data?.items, health.data?.troubles];
  return useMemo(
    () => tasks(printers, jobs, generations, { lacks: lacking ?? [], maintenance: due ?? [], troubles: troubles ?? [] }),
    [printers, jobs, generations, lacking, due, troubles],
  );
}
