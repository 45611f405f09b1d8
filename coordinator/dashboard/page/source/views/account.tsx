/** One's own account: what one may, where one is logged in, one's password and keys. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { PERMISSIONS, ROLES } from "../access";
import { ask, get, post } from "../api/ask";
import type { ItemsOfSessionDocument, SessionDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Field, Form, type Typed } from "../parts/form";
import { say } from "../parts/notes";
import { Since } from "../parts/since";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { useSession } from "../session";
import { moment } from "../words";
import { Keys } from "./keys";
import "../styles/shop.css";

export function Account(): ReactNode {
  const { caller } = useSession();
  // The farm's own token is nobody's account: it has no password and no sessions.
  const sessions = useQuery({
    queryKey: ["sessions"],
    queryFn: ({ signal }) => get<ItemsOfSessionDocument>("/sessions", signal),
  });
  const name = caller.owner.replace(/^user:/, "");
  const has_sessions = (sessions.data?.items.length ?? 0) > 0;
  return (
    <>
      <h1>{name}</h1>
      <p>You are <strong>{caller.role}</strong>: {ROLES[caller.role]}.</p>
      <details>
        <summary>What you may, one by one</summary>
        <ul>{caller.permissions.map((each) => <li key={each}><code>{each}</code> <span className="faint">{PERMISSIONS[each]}</span></li>)}</ul>
      </details>
      {sessions.error && <p className="bad">{sessions.error.message}</p>}
      {has_sessions ? <Sessions sessions={sessions.data?.items} /> : sessions.data && (
        <p className="faint">You came with a token or a key: there is no session to end. Log in with name and password to look after your account.</p>
      )}
      {has_sessions && <Password />}
      {has_sessions && <Keys of={name} />}
    </>
  );
}

function Sessions({ sessions }: { sessions: SessionDocument[] | undefined }): ReactNode {
  const queries = useQueryClient();
  async function end(id: string): Promise<void> {
    await ask("DELETE", `/sessions/${encodeURIComponent(id)}`);
    await queries.invalidateQueries({ queryKey: ["sessions"] });
    say("That browser is logged out.");
  }
  return (
    <section aria-label="Where you are logged in">
      <h2>Where you are logged in</h2>
      <Table label="Sessions" rows={sessions} id={({ id }) => id} empty="Nowhere." columns={[
        { head: "Browser", kind: "wide", cell: ({ browser, current }) => <>{current && <State words="this one" tone="good" />} {browserWords(browser)}</> },
        { head: "From", cell: ({ address }) => address },
        { head: "Since", cell: ({ created_at }) => moment(created_at) },
        { head: "Seen", cell: ({ seen_at }) => <><Since at={seen_at} /> ago</> },
        { head: "Do", kind: "deeds", cell: ({ id, current, address }) => !current && <Deed label={`Log out the browser at ${address}`} does={() => end(id)}>Log out</Deed> },
      ]} />
    </section>
  );
}

/** A browser's name and system, of the long line that it says of itself. */
function browserWords(agent: string): string {
  const name = /(Edg|OPR|Firefox|Chrome|Safari)\/(\d+)/.exec(agent);
  const system = /(Windows|Android|iPhone|iPad|Macintosh|Linux)/.exec(agent);
  return [name && `${name[1]} ${name[2]}`, system?.[1]].filter(Boolean).join(", ") || agent || "unknown";
}

function Password(): ReactNode {
  const [count, setCount] = useState(0);
  const queries = useQueryClient();
  async function send(typed: Typed): Promise<void> {
    await post("/me/password", { old: typed.raw("old"), new: typed.raw("new") });
    setCount(count + 1); // the fields are empty again
    await queries.invalidateQueries({ queryKey: ["sessions"] });
    say("You have another password; everything else that you were logged in with has ended.");
  }
  return (
    <section aria-label="Password">
      <h2>Password</h2>
      <Form key={count} does={send} send="Change it">
        <div className="side">
          <Field name="old" label="The one of today"><input type="password" required autoComplete="current-password" /></Field>
          <Field name="new" label="Another one"><input type="password" required autoComplete="new-password" /></Field>
        </div>
      </Form>
    </section>
  );
}
