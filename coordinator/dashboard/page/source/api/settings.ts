/** The settings in force, asked for once by all views that tell of it. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get } from "./ask";
import type { ItemsOfSettingDocument } from "./shapes";

export const SETTINGS_KEY = "settings";

export function useSettings(): UseQueryResult<ItemsOfSettingDocument> {
  return useQuery({
    queryKey: [SETTINGS_KEY],
    queryFn: ({ signal }) => get<ItemsOfSettingDocument>("/settings", signal),
    staleTime: 60_000,
  });
}
