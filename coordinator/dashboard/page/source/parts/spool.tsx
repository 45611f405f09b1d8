/** What a printer holds, with the colour of the spool that is loaded. */

import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, type ReactNode } from "react";
import { get } from "../api/ask";
import type { PageOfSpoolDocument, PrinterDocument, SpoolDocument } from "../api/shapes";
import { useSession } from "../session";
import { grams } from "../words";

const LOADED_MS = 60_000;
const SPOOLS_MAX = 1000;

const byId = ({ items }: PageOfSpoolDocument): ReadonlyMap<string, SpoolDocument> => new Map(items.map((each) => [each.id, each]));

const Loaded = createContext<ReadonlyMap<string, SpoolDocument> | undefined>(undefined);

/** Has what is inside know the spools that are loaded; asked for once, however many printers are shown. */
export function WithSpools({ children }: { children: ReactNode }): ReactNode {
  const { may } = useSession();
  const { data } = useQuery({
    queryKey: ["spools", "loaded"], queryFn: ({ signal }) => get<PageOfSpoolDocument>(`/spools?loaded=true&limit=${SPOOLS_MAX}`, signal),
    select: byId, staleTime: LOADED_MS, refetchInterval: LOADED_MS, enabled: may("farm:read"),
  });
  return <Loaded value={data}>{children}</Loaded>;
}

export function Material({ printer }: { printer: PrinterDocument }): ReactNode {
  const spool = useContext(Loaded)?.get(printer.spool_id ?? "");
  const colour = spool && CSS.supports("color", spool.colour) ? spool.colour : null;
  return (
    <span className="material">
      {colour && <span className="swatch" style={{ background: colour }} aria-hidden="true" />}
      {printer.material || "no material"}{spool && <span className="faint"> {spool.colour && !colour ? `${spool.colour}, ` : ""}{grams(spool.remaining_g)}</span>}
    </span>
  );
}
