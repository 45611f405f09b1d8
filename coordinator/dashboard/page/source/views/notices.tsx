/** The ways by which people are told what they must do, as the settings name them. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { LONG_MS, ask, get } from "../api/ask";
import { useSettings } from "../api/settings";
import type { ItemsOfWayDocument, WayDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { say } from "../parts/notes";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { count, duration, moment } from "../words";

const LOOK_MS = 10_000;
// A mail server may take its time.
const PATIENCE_MS = 90_000;

export function Notices(): ReactNode {
  const settings = useSettings();
  const { data, error } = useQuery({
    queryKey: ["notices"],
    queryFn: ({ signal }) => get<ItemsOfWayDocument>("/notices", signal),
    refetchInterval: LOOK_MS,
  });
  const said = (name: string): string => String(settings.data?.items.find((each) => each.name === name)?.value ?? "");
  const whom: Record<string, string> = { email: said("mail_to"), ntfy: "who follows the topic" };
  async function test({ name }: WayDocument): Promise<void> {
    await ask("POST", `/notices/${encodeURIComponent(name)}/test`, { patience_ms: LONG_MS });
    say(`${name} took the test. Did it come?`);
  }
  return (
    <section aria-label="Notices to people">
      <h2>Notices to people</h2>
      {error && <p className="bad">{error.message}</p>}
      <Table label="Ways to people" rows={data?.items} id={({ name }) => name}
        empty={<>Nobody is told by mail or phone. Set <code>smtp_url</code>, <code>mail_from</code> and <code>mail_to</code>, or <code>ntfy_url</code>, and start the coordinator again.</>} columns={[
        { head: "Way", cell: ({ name }) => name },
        { head: "To", kind: "wide", cell: ({ name }) => whom[name] ?? "" },
        { head: "State", cell: ({ failures, due_at }) => (
          <><State words={failures ? "failing" : "on"} tone={failures ? "bad" : "good"} />{failures > 0 && <span className="remark">{count(failures, "attempt")}{due_at && `; next ${moment(due_at)}`}</span>}</>
        ) },
        { head: "Do", kind: "deeds", cell: (each) => <Deed label={`Send a test by ${each.name}`} does={() => test(each)}>Test</Deed> },
      ]} />
      {settings.data && (
        <p className="faint">
          Told of: {said("notices")}. A matter waits {duration(Number(said("notices_gather_s")))} for others, and for ending by itself.{" "}
          {said("quiet_hours") ? `Quiet ${said("quiet_hours")}: only what can't wait is told then.` : "No quiet hours are set."}
        </p>
      )}
    </section>
  );
}
