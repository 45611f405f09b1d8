/** What left the farm for good: printers and agents, since when, and the way back. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { get } from "../api/ask";
import type { RetiredDocument } from "../api/shapes";
import { restoreAgent, restorePrinter } from "../deeds";
import { Deed } from "../parts/deed";
import { Table } from "../parts/table";
import { isSimulated, moment } from "../words";

const LOOK_MS = 10_000;
export const RETIRED_KEY = "retired";

export function Retired(): ReactNode {
  const queries = useQueryClient();
  const { data } = useQuery({ queryKey: [RETIRED_KEY], queryFn: ({ signal }) => get<RetiredDocument>("/retired", signal), refetchInterval: LOOK_MS });
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: [RETIRED_KEY] });
  const printers = data?.printers.filter((each) => !isSimulated(each)) ?? [];
  const agents = data?.agents.filter(({ id }) => !isSimulated({ agent_id: id })) ?? [];
  if (!printers.length && !agents.length) return null;
  const rows = [
    ...printers.map((each) => ({ ...each, what: `${each.name}, a printer at ${each.agent_id}`, does: () => restorePrinter(each.id, each.name) })),
    ...agents.map((each) => ({ ...each, name: each.id, what: `${each.id}, an agent`, words: "", does: () => restoreAgent(each.id) })),
  ];
  return (
    <section aria-label="Retired">
      <h2>Retired</h2>
      <p className="faint">Their history stays. What an agent still says of them is not heard, until somebody takes them back.</p>
      <Table label="Retired" rows={rows} id={({ what }) => what} empty="Nothing is." columns={[
        { head: "What", kind: "wide", cell: ({ what, words }) => <>{what}{words && <span className="remark">{words}</span>}</> },
        { head: "Since", cell: ({ retired_at }) => (retired_at ? moment(retired_at) : "") },
        { head: "Do", kind: "deeds", cell: ({ name, does }) => <Deed label={`Take back ${name}`} does={() => does().then(again)}>Take back</Deed> },
      ]} />
    </section>
  );
}
