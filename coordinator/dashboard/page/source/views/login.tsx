/** The way in: name and password, another provider, or the farm's own token. */

import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { get, post, token } from "../api/ask";
import type { WaysDocument } from "../api/shapes";

export function Login({ reason, entered }: { reason: string; entered: () => void }): ReactNode {
  const [words, setWords] = useState(reason);
  const [openid, setOpenid] = useState(false);
  useEffect(() => setWords(reason), [reason]);
  useEffect(() => {
    get<WaysDocument>("/login").then((ways) => setOpenid(ways.openid), () => undefined);
  }, []);

  async function withName(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    token.forget();
    try {
      await post("/session", { name: String(form.get("name")).trim(), password: form.get("password") });
      entered();
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    }
  }

  function withToken(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    token.keep(String(new FormData(event.currentTarget).get("token")).trim());
    entered();
  }

  return (
    <main className="login">
      <h1>Farmhand</h1>
      <form onSubmit={(event) => void withName(event)}>
        <label>Name <input name="name" autoComplete="username" autoCapitalize="none" spellCheck={false} required /></label>
        <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
        <button className="main">Log in</button>
        {openid && <a className="button" href="/api/v1/login/openid">Log in elsewhere</a>}
      </form>
      <p role="alert" className="bad">{words}</p>
      <details>
        <summary>With the farm's token</summary>
        <form onSubmit={withToken}>
          <label>Token <input name="token" type="password" autoComplete="off" required /></label>
          <button>Log in</button>
          <p className="faint">It is in the file <code>token</code> in the coordinator's state folder.</p>
        </form>
      </details>
    </main>
  );
}
