/** What the coordinator was started with, asked for once by all views that tell of it. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get } from "./ask";
import type { ItemsOfSettingDocument } from "./shapes";

export function useSettings(): UseQueryResult<ItemsOfSettingDocument> {
  return useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => get<ItemsOfSettingDocument>("/settings", signal),
    staleTime: 60_000,
  });
}
