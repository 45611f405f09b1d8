/** Who may come in, as what, and how much they may take. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { ROLES, ROLES_OF_PEOPLE } from "../access";
import { ask, get, post } from "../api/ask";
import type { ItemsOfUserDocument, Role, UserDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { say } from "../parts/notes";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { day, grams } from "../words";
import { Keys } from "./keys";
import "../styles/shop.css";

type Sheet = { kind: "new" } | { kind: "edit" | "password"; user: UserDocument };
const path = (name: string): string => `/users/${encodeURIComponent(name)}`;

export function People(): ReactNode {
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ["users"],
    queryFn: ({ signal }) => get<ItemsOfUserDocument>("/users", signal),
  });
  const close = (): void => setSheet(null);
  const done = async (words: string): Promise<void> => {
    await Promise.all(["users", "keys"].map((queryKey) => queries.invalidateQueries({ queryKey: [queryKey] })));
    close();
    say(words);
  };
  async function disable(user: UserDocument, disabled: boolean): Promise<void> {
    await ask("PATCH", path(user.name), { body: { disabled } });
    await done(disabled ? `${user.name} can't come in any more.` : `${user.name} may come in again.`);
  }
  async function remove(user: UserDocument): Promise<void> {
    await ask("DELETE", path(user.name));
    await done(`${user.name} is removed.`);
  }
  return (
    <>
      <div className="bar-of-tools">
        <h1>People and keys</h1>
        <button type="button" className="main" onClick={() => setSheet({ kind: "new" })}>Add somebody</button>
      </div>
      {error && <p className="bad">{error.message}</p>}
      <section aria-label="People">
        <Table label="People" rows={data?.items} id={({ id }) => id} empty="Nobody yet: only who has the farm's own token comes in." columns={[
          { head: "Name", cell: ({ name, state }) => <>{name} {state !== "active" && <State words={state} tone="care" />}</> },
          { head: "Role", kind: "wide", cell: ({ role }) => <>{role}<span className="remark">{ROLES[role]}</span></> },
          { head: "May take", cell: ({ quota }) => <Quota {...quota} /> },
          { head: "Comes in", cell: ({ subject, created_at }) => <>{subject ? <>by OpenID<span className="remark">{subject}</span></> : "with name and password"}<span className="remark">since {day(created_at)}</span></> },
          { head: "Do", kind: "deeds", cell: (user) => user.state === "removed" ? null : (
            <>
              <button type="button" aria-label={`Edit ${user.name}`} onClick={() => setSheet({ kind: "edit", user })}>Edit</button>
              <button type="button" aria-label={`Password of ${user.name}`} onClick={() => setSheet({ kind: "password", user })}>Password</button>
              {user.state === "disabled"
                ? <Deed label={`Let ${user.name} in again`} does={() => disable(user, false)}>Let in again</Deed>
                : <Deed label={`Lock ${user.name} out`} does={() => disable(user, true)}>Lock out</Deed>}
              <Deed kind="danger" label={`Remove ${user.name}`} does={() => remove(user)} sure={`Remove ${user.name}? Their password, sessions and keys are gone for good; the name stays taken, for history.`}>Remove</Deed>
            </>
          ) },
        ]} />
      </section>
      <Keys users={data?.items.filter(({ state }) => state === "active").map(({ name }) => name) ?? []} />
      <section aria-label="Roles">
        <h2>What roles may</h2>
        <dl className="facts">{ROLES_OF_PEOPLE.map((role) => [<dt key={role}>{role}</dt>, <dd key={`${role}-words`}>{ROLES[role]}</dd>])}</dl>
      </section>
      {sheet?.kind === "new" && <Said close={close} done={done} />}
      {sheet?.kind === "edit" && <Said user={sheet.user} close={close} done={done} />}
      {sheet?.kind === "password" && <Password user={sheet.user} close={close} done={done} />}
    </>
  );
}

function Quota({ jobs_open_max, grams_per_month }: UserDocument["quota"]): ReactNode {
  const words = [
    jobs_open_max !== null ? `${jobs_open_max} open jobs` : "",
    grams_per_month !== null ? `${grams(grams_per_month)} a month` : "",
  ].filter(Boolean);
  return words.length ? words.join(", ") : <span className="faint">as much as they like</span>;
}

interface Step {
  close: () => void;
  done: (words: string) => Promise<void>;
}

function Said({ user, close, done }: Step & { user?: UserDocument }): ReactNode {
  const [role, setRole] = useState<Role>(user?.role ?? "submitter");
  async function send(typed: Typed): Promise<void> {
    const said = {
      role,
      quota: { jobs_open_max: typed.number("quota/jobs_open_max"), grams_per_month: typed.number("quota/grams_per_month") },
    };
    if (user) await ask("PATCH", path(user.name), { body: said });
    else await post("/users", { ...said, name: typed.text("name"), password: typed.raw("password") });
    await done(user ? `${user.name} is changed.` : `${typed.text("name")} may come in.`);
  }
  return (
    <Dialog title={user ? `Edit ${user.name}` : "Add somebody"} close={close}>
      <Form does={send} send={user ? "Save" : "Add"} cancel={close}>
        {!user && (
          <div className="side">
            <Field name="name" label="Name"><input required maxLength={64} autoCapitalize="none" autoComplete="off" spellCheck={false} /></Field>
            <Field name="password" label="Password" hint="empty: only keys and OpenID"><input type="password" autoComplete="new-password" /></Field>
          </div>
        )}
        <Field name="role" label="Role" hint={ROLES[role]}>
          <select value={role} onChange={(event: { target: { value: string } }) => setRole(event.target.value as Role)}>
            {ROLES_OF_PEOPLE.map((each) => <option key={each}>{each}</option>)}
          </select>
        </Field>
        <div className="side">
          <Field name="quota/jobs_open_max" label="Open jobs at most" hint="empty: no limit"><input type="number" min={0} step={1} defaultValue={user?.quota.jobs_open_max ?? ""} /></Field>
          <Field name="quota/grams_per_month" label="Grams a month at most" hint="empty: no limit"><input type="number" min={0} step="any" defaultValue={user?.quota.grams_per_month ?? ""} /></Field>
        </div>
      </Form>
    </Dialog>
  );
}

function Password({ user, close, done }: Step & { user: UserDocument }): ReactNode {
  async function send(typed: Typed): Promise<void> {
    await post(`${path(user.name)}/password`, { password: typed.raw("password") });
    await done(`${user.name} has another password, and is logged out everywhere.`);
  }
  return (
    <Dialog title={`Another password for ${user.name}`} close={close}>
      <Form does={send} send="Set it" cancel={close}>
        <Field name="password" label="Password" hint="everything that they are logged in with ends"><input type="password" required autoComplete="new-password" /></Field>
      </Form>
    </Dialog>
  );
}
