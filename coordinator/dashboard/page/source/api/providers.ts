/** The farm's providers of models, asked for once by all views that name them. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get } from "./ask";
import type { ItemsOfProviderDocument } from "./shapes";

export function useProviders(): UseQueryResult<ItemsOfProviderDocument> {
  return useQuery({
    queryKey: ["providers"],
    queryFn: ({ signal }) => get<ItemsOfProviderDocument>("/providers", signal),
    staleTime: 30_000,
  });
}
