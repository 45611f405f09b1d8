/** A token for an agent: asked for, and told this once. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { post } from "../api/ask";
import type { DrawnCodeDocument, NewTokenDocument } from "../api/shapes";
import { moment } from "../words";
import { Dialog } from "./dialog";
import { Field, Form, type Typed } from "./form";
import { Copied, Secret } from "./secret";
import "../styles/begin.css";

const HOUR_S = 3600;

export function Enrol({ close, made }: { close: () => void; made: (made: NewTokenDocument) => void }): ReactNode {
  async function send(typed: Typed): Promise<void> {
    const body = { agent_id: typed.text("agent_id") || null, valid_s: (typed.number("valid_s") ?? 1) * HOUR_S };
    made(await post<NewTokenDocument>("/agents/tokens", body));
  }
  return (
    <Dialog title="Let an agent in" close={close}>
      <Form does={send} send="Make a token" cancel={close}>
        <Field name="agent_id" label="Its name" hint="empty: it takes its machine's name"><input placeholder="pi-3" autoCapitalize="none" spellCheck={false} /></Field>
        <Field name="valid_s" label="Good for, hours"><input type="number" min={0.02} step="any" required defaultValue={1} /></Field>
      </Form>
    </Dialog>
  );
}

/** A text for a phone's camera, where the machine's terminal is not on this screen. */
function Code({ text }: { text: string }): ReactNode {
  const { data } = useQuery({ queryKey: ["code", text], queryFn: () => post<DrawnCodeDocument>("/codes", { text }), staleTime: Infinity, retry: false });
  if (!data) return null;
  return (
    <figure className="code-shown">
      <svg viewBox={`0 0 ${data.modules} ${data.modules}`} role="img" aria-label="Code of the command" shapeRendering="crispEdges"><path d={data.path} /></svg>
      <figcaption className="faint">The same for a phone that is at the machine.</figcaption>
    </figure>
  );
}

const LOCAL = /^(localhost|127\.|\[::1\])/;

export function Token({ made, close }: { made: NewTokenDocument; close: () => void }): ReactNode {
  const command = `farmhand-agent enroll ${made.token} --coordinator ${location.origin}`;
  return (
    <Dialog title={made.agent_id ? `Let ${made.agent_id} in` : "Let an agent in"} close={close}>
      <Secret label="Type this on its machine" value={command}>
        <Code text={command} />
        <p>Good once, until {moment(made.expires_at)}.</p>
        {LOCAL.test(location.hostname) && (
          <p>Other machines do not reach the farm as <code>{location.host}</code>: put its name or address there instead, and set <code>host</code> and <code>broker_host</code> to <code>0.0.0.0</code>.</p>
        )}
      </Secret>
      <details><summary>Only the token, for a card that is written beforehand</summary><Copied label="Token" value={made.token} /></details>
      <p className="deeds"><button type="button" onClick={close}>Done</button></p>
    </Dialog>
  );
}
