/** Forms: what is wrong is said at its field, in the API's own sentence. */

import { cloneElement, createContext, useContext, useId, useState, type FormEvent, type ReactElement, type ReactNode } from "react";
import { Problem } from "../api/ask";
import "../styles/forms.css";

/** What was typed, trimmed, by name; fields that may be chosen several times are asked of `data`. */
export interface Typed {
  text: (name: string) => string;
  /** Just as it was typed: spaces count in a password. */
  raw: (name: string) => string;
  /** Null where nothing was typed. */
  number: (name: string) => number | null;
  checked: (name: string) => boolean;
  all: (name: string) => string[];
}

interface Sent {
  /** `data`: the form as it is, for files. */
  does: (typed: Typed, data: FormData) => Promise<unknown>;
  /** What the button says. */
  send: string;
  children: ReactNode;
  cancel?: () => void;
  danger?: boolean;
}

// By the field's name, what is wrong with it.
const Wrong = createContext<Readonly<Record<string, string>>>({});

function typedIn(data: FormData): Typed {
  const raw = (name: string): string => String(data.get(name) ?? "");
  const text = (name: string): string => raw(name).trim();
  return {
    text,
    raw,
    number: (name) => (text(name) ? Number(text(name)) : null),
    checked: (name) => data.has(name),
    all: (name) => data.getAll(name).map(String),
  };
}

export function Form({ does, send, children, cancel, danger = false }: Sent): ReactNode {
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setWords("");
    setWrong({});
    try {
      const data = new FormData(form);
      await does(typedIn(data), data);
    } catch (error) {
      const { at, rest } = placed(error, form);
      setWrong(at);
      setWords(rest);
      const first = [...form.elements].find((each) => each instanceof HTMLElement && (each.getAttribute("name") ?? "") in at);
      if (first instanceof HTMLElement) first.focus();
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="fields-below" onSubmit={(event) => void submit(event)}>
      <Wrong.Provider value={wrong}>{children}</Wrong.Provider>
      <p role="alert" className="bad">{words}</p>
      <p className="deeds">
        <button className={danger ? "danger" : "main"} disabled={busy}>{busy ? "One moment …" : send}</button>
        {cancel && <button type="button" onClick={cancel}>Cancel</button>}
      </p>
    </form>
  );
}

/** Share what is wrong out: to fields that the form has, the rest for all of it. */
function placed(error: unknown, form: HTMLFormElement): { at: Record<string, string>; rest: string } {
  const said = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Problem) || !error.fields.length) return { at: {}, rest: said };
  const names = new Set([...form.elements].map((each) => each.getAttribute("name") ?? ""));
  const at: Record<string, string> = {};
  let left = false;
  for (const { pointer, detail } of error.fields) {
    const path = pointer.slice(1);
    const name = [path, path.split("/")[0]!].find((each) => names.has(each));
    if (name) at[name] = detail;
    else left = true;
  }
  return { at, rest: left ? said : "" };
}

interface Named {
  /** As the API calls it; within another, `quota/jobs_open_max`. */
  name: string;
  label: string;
  hint?: ReactNode;
  /** One input, select or textarea. */
  children: ReactElement<Record<string, unknown>>;
}

export function Field({ name, label, hint, children }: Named): ReactNode {
  const id = useId();
  const words = useContext(Wrong)[name];
  const told = [hint ? `${id}-hint` : "", words ? `${id}-wrong` : ""].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {cloneElement(children, {
        id, name, ...(told ? { "aria-describedby": told } : {}), ...(words ? { "aria-invalid": true } : {}),
      })}
      {hint && <p className="faint" id={`${id}-hint`}>{hint}</p>}
      {words && <p className="bad" id={`${id}-wrong`}>{words}</p>}
    </div>
  );
}
