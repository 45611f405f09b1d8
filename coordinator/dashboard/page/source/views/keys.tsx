/** Keys for programs: made, shown once, looked over, made useless. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { PERMISSIONS } from "../access";
import { ask, get, post } from "../api/ask";
import type { ItemsOfKeyDocument, KeyDocument, NewKeyDocument, Permission } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { say } from "../parts/notes";
import { Secret } from "../parts/secret";
import { Since } from "../parts/since";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { useSession } from "../session";
import { moment } from "../words";

/** Keys of somebody, by name; of everybody where `of` is left out, as an administrator may see them. */
export function Keys({ of, users = [] }: { of?: string; users?: readonly string[] }): ReactNode {
  const [open, setOpen] = useState<"new" | NewKeyDocument | null>(null);
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ["keys", of ?? ""],
    queryFn: ({ signal }) => get<ItemsOfKeyDocument>(of === undefined ? "/keys" : `/keys?user=${encodeURIComponent(of)}`, signal),
  });
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: ["keys"] });
  async function revoke(key: KeyDocument): Promise<void> {
    await ask("DELETE", `/keys/${encodeURIComponent(key.id)}`);
    await refresh();
    say(`The key ${key.name} opens nothing any more.`);
  }
  return (
    <section aria-label="Keys">
      <div className="bar-of-tools">
        <h2>Keys for programs</h2>
        <button type="button" onClick={() => setOpen("new")}>Make a key</button>
      </div>
      {error && <p className="bad">{error.message}</p>}
      <Table label="Keys" rows={data?.items} id={({ id }) => id} empty="No key. Slicers and programs show a key instead of a password." columns={[
        { head: "Key", cell: ({ name }) => name },
        ...(of === undefined ? [{ head: "Whose", cell: ({ user }: KeyDocument) => user }] : []),
        { head: "May", kind: "wide", cell: ({ scopes }) => scopes.length ? <Scopes scopes={scopes} /> : "all that its user may" },
        { head: "Until", cell: ({ expires_at }) => <Until at={expires_at} /> },
        { head: "Last used", cell: ({ used_at }) => used_at ? <><Since at={used_at} /> ago</> : <span className="faint">never</span> },
        { head: "Do", kind: "deeds", cell: (key) => (
          <Deed kind="danger" label={`Revoke ${key.name}`} does={() => revoke(key)} sure={`Revoke the key ${key.name}? What shows it is refused at once.`}>Revoke</Deed>
        ) },
      ]} />
      {open === "new" && <Make {...(of === undefined ? {} : { of })} users={users} close={() => setOpen(null)} made={async (made) => { await refresh(); setOpen(made); }} />}
      {open !== null && open !== "new" && (
        <Dialog title={`The key ${open.name}`} close={() => setOpen(null)}>
          <Secret label="The key" value={open.key} />
          <p className="deeds"><button type="button" onClick={() => setOpen(null)}>Done</button></p>
        </Dialog>
      )}
    </section>
  );
}

function Scopes({ scopes }: { scopes: readonly Permission[] }): ReactNode {
  return <details><summary>{scopes.join(", ")}</summary><ul>{scopes.map((each) => <li key={each} className="faint">{PERMISSIONS[each]}</li>)}</ul></details>;
}

function Until({ at }: { at: string | null }): ReactNode {
  if (!at) return "it is revoked";
  return Date.parse(at) < Date.now() ? <State words="expired" tone="care" /> : moment(at);
}

function Make({ of, users, close, made }: {
  of?: string; users: readonly string[]; close: () => void; made: (made: NewKeyDocument) => Promise<void>;
}): ReactNode {
  const { caller } = useSession();
  async function send(typed: Typed): Promise<void> {
    const until = typed.text("expires_at");
    await made(await post<NewKeyDocument>("/keys", {
      name: typed.text("name"),
      user: of ?? typed.text("user"),
      scopes: typed.all("scopes"),
      // The end of that day, where it is looked at.
      expires_at: until ? new Date(`${until}T23:59:59`).toISOString() : null,
    }));
  }
  return (
    <Dialog title="Make a key" close={close}>
      <Form does={send} send="Make the key" cancel={close}>
        <div className="side">
          <Field name="name" label="What for"><input required maxLength={64} placeholder="PrusaSlicer on my desk" /></Field>
          {of === undefined && (
            <Field name="user" label="Whose"><select required>{users.map((name) => <option key={name}>{name}</option>)}</select></Field>
          )}
          <Field name="expires_at" label="Until" hint="empty: until it is revoked"><input type="date" /></Field>
        </div>
        <fieldset>
          <legend>What it may do</legend>
          <p className="faint">None chosen: all that its user may.</p>
          {caller.permissions.filter((each) => each !== "agents:enroll").map((each) => (
            <label className="check" key={each}><input type="checkbox" name="scopes" value={each} /> <span>{each} <span className="faint">{PERMISSIONS[each]}</span></span></label>
          ))}
        </fieldset>
      </Form>
    </Dialog>
  );
}
