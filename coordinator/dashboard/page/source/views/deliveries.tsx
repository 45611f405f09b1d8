/** What became of the last messages to one endpoint, and telling it of one again. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { get, post } from "../api/ask";
import type { DeliveryDocument, ItemsOfDeliveryDocument, WebhookDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { say } from "../parts/notes";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { moment } from "../words";

const LOOK_MS = 3000;

interface Shown {
  webhook: WebhookDocument;
  close: () => void;
  refresh: () => Promise<void>;
  /** Ask from where on it is told again. */
  replay: () => void;
}

export function Deliveries({ webhook, close, refresh, replay }: Shown): ReactNode {
  const path = `/webhooks/${encodeURIComponent(webhook.id)}`;
  const { data, error } = useQuery({
    queryKey: ["deliveries", webhook.id],
    queryFn: ({ signal }) => get<ItemsOfDeliveryDocument>(`${path}/deliveries?limit=100`, signal),
    refetchInterval: LOOK_MS,
  });
  // Messages are told in order, as history has them: one again means all from there on.
  async function again({ event }: DeliveryDocument): Promise<void> {
    await post(`${path}/replay`, { after: event - 1 });
    await refresh();
    say(`${webhook.url} is told again, from event ${event} on.`);
  }
  return (
    <Dialog title="Deliveries" close={close}>
      <p className="faint">{webhook.url}</p>
      {error && <p className="bad">{error.message}</p>}
      <Table label="Deliveries" rows={data?.items} id={({ id }) => id} empty="Nothing was sent yet." columns={[
        { head: "Event", cell: ({ event, type }) => <>{event}<span className="remark">{type}</span></> },
        { head: "Outcome", cell: ({ state, status, words, attempts }) => (
          <><State words={state} tone={state === "delivered" ? "good" : "bad"} /><span className="remark">{status ?? ""} {words}{attempts > 1 && `, ${attempts} attempts`}</span></>
        ) },
        { head: "When", cell: ({ last_at, elapsed_ms }) => <>{moment(last_at)}<span className="remark">{elapsed_ms} ms</span></> },
        { head: "Do", kind: "deeds", cell: (each) => (
          <Deed label={`Tell again from event ${each.event} on`} does={() => again(each)} sure={`Tell ${webhook.url} event ${each.event} again, and all that followed?`}>Again from here</Deed>
        ) },
      ]} />
      <p className="deeds"><button type="button" onClick={replay}>Tell again …</button><button type="button" onClick={close}>Close</button></p>
    </Dialog>
  );
}
