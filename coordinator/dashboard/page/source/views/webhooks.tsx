/** What the farm tells the outside: endpoints of programs, and notices to people. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { LONG_MS, ask, get, post } from "../api/ask";
import type {
  AttemptDocument, ItemsOfTypeDocument, ItemsOfWebhookDocument, NewWebhookDocument, WebhookDocument,
} from "../api/shapes";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { complain, say } from "../parts/notes";
import { Secret } from "../parts/secret";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { count, moment, type Tone } from "../words";
import { Deliveries } from "./deliveries";
import { Notices } from "./notices";
import "../styles/shop.css";

const LOOK_MS = 5000;
const path = (id: string): string => `/webhooks/${encodeURIComponent(id)}`;

type Sheet =
  | { kind: "new" }
  | { kind: "edit" | "replay" | "deliveries"; webhook: WebhookDocument }
  | { kind: "secret"; made: NewWebhookDocument };

export function Webhooks(): ReactNode {
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ["webhooks"],
    queryFn: ({ signal }) => get<ItemsOfWebhookDocument>("/webhooks", signal),
    refetchInterval: LOOK_MS,
  });
  const close = (): void => setSheet(null);
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: ["webhooks"] });
  const done = async (words: string): Promise<void> => {
    await refresh();
    close();
    say(words);
  };
  const secret = async (made: NewWebhookDocument): Promise<void> => {
    await refresh();
    setSheet({ kind: "secret", made });
  };
  async function test(webhook: WebhookDocument): Promise<void> {
    const how = await ask<AttemptDocument>("POST", `${path(webhook.id)}/test`, { patience_ms: LONG_MS });
    if (how.taken) say(`${webhook.url} took it in ${how.elapsed_ms} ms.`);
    else complain(`${webhook.url} did not take it: ${how.words}`);
  }
  async function enable(webhook: WebhookDocument, enabled: boolean): Promise<void> {
    await ask("PATCH", path(webhook.id), { body: { enabled } });
    await done(enabled ? `${webhook.url} is told again, from where it was.` : `${webhook.url} is not told any more.`);
  }
  async function remove(webhook: WebhookDocument): Promise<void> {
    await ask("DELETE", path(webhook.id));
    await done(`${webhook.url} is removed.`);
  }
  return (
    <>
      <div className="bar-of-tools">
        <h1>Webhooks and notices</h1>
        <button type="button" className="main" onClick={() => setSheet({ kind: "new" })}>Add an endpoint</button>
      </div>
      {error && <p className="bad">{error.message}</p>}
      <section aria-label="Endpoints">
        <h2>Endpoints of programs</h2>
        <Table label="Endpoints" rows={data?.items} id={({ id }) => id}
          empty="No endpoint. One is an address to which the farm sends what happens, signed, until it is taken." columns={[
          { head: "Endpoint", kind: "wide", cell: ({ url, description }) => <>{url}{description && <span className="remark">{description}</span>}</> },
          { head: "Told of", cell: ({ types }) => types.join(", ") },
          { head: "State", cell: (each) => <Standing webhook={each} /> },
          { head: "Do", kind: "deeds", cell: (each) => (
            <>
              <Deed label={`Send a test to ${each.url}`} does={() => test(each)}>Test</Deed>
              <button type="button" aria-label={`Deliveries to ${each.url}`} onClick={() => setSheet({ kind: "deliveries", webhook: each })}>Deliveries</button>
              <button type="button" aria-label={`Edit ${each.url}`} onClick={() => setSheet({ kind: "edit", webhook: each })}>Edit</button>
              {each.enabled ? <Deed label={`Stop telling ${each.url}`} does={() => enable(each, false)}>Stop</Deed> : <Deed label={`Go on telling ${each.url}`} does={() => enable(each, true)}>Go on</Deed>}
            </>
          ) },
        ]} />
      </section>
      <Notices />
      {sheet?.kind === "new" && <Said close={close} done={done} secret={secret} />}
      {sheet?.kind === "edit" && (
        <Said webhook={sheet.webhook} close={close} done={done} secret={secret}>
          <p className="deeds">
            <Deed does={async () => secret(await post<NewWebhookDocument>(`${path(sheet.webhook.id)}/rotate`))} sure="A new secret? The one of today is still good for a day.">New secret</Deed>
            <Deed kind="danger" does={() => remove(sheet.webhook)} sure={`Remove ${sheet.webhook.url}, and what is known of its deliveries?`}>Remove the endpoint</Deed>
          </p>
        </Said>
      )}
      {sheet?.kind === "replay" && <Replay webhook={sheet.webhook} close={close} done={done} />}
      {sheet?.kind === "deliveries" && <Deliveries webhook={sheet.webhook} close={close} refresh={refresh} replay={() => setSheet({ kind: "replay", webhook: sheet.webhook })} />}
      {sheet?.kind === "secret" && (
        <Dialog title={sheet.made.url} close={close}>
          <Secret label="The secret that signs" value={sheet.made.secret}>
            <p>Check each message's signature with it: <code>webhook-signature</code>, as Standard Webhooks describes.</p>
            {sheet.made.previous_secret_until && <p>The one before signs as well until {moment(sheet.made.previous_secret_until)}.</p>}
          </Secret>
          <p className="deeds"><button type="button" onClick={close}>Done</button></p>
        </Dialog>
      )}
    </>
  );
}

function Standing({ webhook: { enabled, disabled_reason, failures, failing_since, behind, due_at } }: { webhook: WebhookDocument }): ReactNode {
  const said: { words: string; tone: Tone } = !enabled ? { words: "stopped", tone: "quiet" }
    : failures ? { words: "failing", tone: "bad" } : { words: "on", tone: "good" };
  return (
    <>
      <State {...said} />
      {disabled_reason && <span className="remark">{disabled_reason}</span>}
      {failures > 0 && <span className="remark">{count(failures, "attempt")} since {failing_since ? moment(failing_since) : "just now"}{due_at && `; next ${moment(due_at)}`}</span>}
      {behind > 0 && <span className="remark">{count(behind, "line")} of history behind</span>}
    </>
  );
}

interface Step {
  close: () => void;
  done: (words: string) => Promise<void>;
}

function Said({ webhook, close, done, secret, children }: Step & {
  webhook?: WebhookDocument; secret: (made: NewWebhookDocument) => Promise<void>; children?: ReactNode;
}): ReactNode {
  const types = useQuery({
    queryKey: ["webhook-types"],
    queryFn: ({ signal }) => get<ItemsOfTypeDocument>("/webhook-types", signal),
    staleTime: Infinity,
  });
  const known = new Set(types.data?.items.map(({ type }) => type));
  const patterns = webhook?.types.filter((each) => !known.has(each)) ?? ["*"];
  async function send(typed: Typed): Promise<void> {
    const more = typed.text("patterns").split(/[\s,]+/).filter(Boolean);
    const body = { url: typed.text("url"), description: typed.text("description"), types: [...new Set([...typed.all("types"), ...more])] };
    if (webhook) {
      await ask("PATCH", path(webhook.id), { body });
      await done(`${body.url} is changed.`);
    } else await secret(await post<NewWebhookDocument>("/webhooks", body));
  }
  return (
    <Dialog title={webhook ? "Edit the endpoint" : "Add an endpoint"} close={close}>
      {types.error && <p className="bad">{types.error.message}</p>}
      {types.data && (
        <Form does={send} send={webhook ? "Save" : "Add"} cancel={close}>
          <Field name="url" label="Address"><input type="url" required placeholder="https://example.org/farmhand" defaultValue={webhook?.url} /></Field>
          <Field name="description" label="What it is for"><input defaultValue={webhook?.description} /></Field>
          <Field name="patterns" label="Told of, as patterns" hint="* is everything, run.* all of runs; or choose below"><input defaultValue={patterns.join(" ")} spellCheck={false} autoCapitalize="none" /></Field>
          <details>
            <summary>One by one</summary>
            <fieldset>
              <legend>Types of messages</legend>
              {types.data.items.map(({ type, words }) => (
                <label className="check" key={type}><input type="checkbox" name="types" value={type} defaultChecked={webhook?.types.includes(type)} /> <span>{type} <span className="faint">{words}</span></span></label>
              ))}
            </fieldset>
          </details>
        </Form>
      )}
      {children}
    </Dialog>
  );
}

function Replay({ webhook, close, done }: Step & { webhook: WebhookDocument }): ReactNode {
  async function send(typed: Typed): Promise<void> {
    const since = typed.text("since");
    await post(`${path(webhook.id)}/replay`, since ? { since: new Date(since).toISOString() } : { after: typed.number("after") });
    await done(`${webhook.url} is told again.`);
  }
  return (
    <Dialog title="Tell it again" close={close}>
      <Form does={send} send="Tell it again" cancel={close}>
        <p>{webhook.url} was told up to event {webhook.cursor}. Say from where on it is told again, or what it skips: one of the two.</p>
        <div className="side">
          <Field name="after" label="Behind event"><input type="number" min={0} step={1} /></Field>
          <Field name="since" label="Or all since"><input type="datetime-local" /></Field>
        </div>
      </Form>
    </Dialog>
  );
}
