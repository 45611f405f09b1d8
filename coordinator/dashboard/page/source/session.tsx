/** Who looks at the page: found out at the start, known to every view. */

import { useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useRef, useState, type ReactNode } from "react";
import { Problem, ask, get, token } from "./api/ask";
import type { CallerDocument, Permission } from "./api/shapes";
import { lookOn } from "./live/connection";
import { Login } from "./views/login";

interface Session {
  caller: CallerDocument;
  may: (permission: Permission) => boolean;
  leave: (reason?: string) => void;
}

const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("only where somebody is logged in");
  return session;
}

type Known = { caller: CallerDocument } | { caller: null; reason: string } | null;

// What an address brings along behind its # is never sent to a server, and leaves the bar at once.
function brought(): string {
  const said = new URLSearchParams(location.hash.slice(1));
  const shown = said.get("token");
  const failed = said.get("login");
  if (shown) token.keep(shown);
  if (shown || failed) history.replaceState(null, "", location.pathname + location.search);
  return failed ? `Logging in failed: ${failed.replaceAll("_", " ")}.` : "";
}

const FAILED = brought();
const RETRY_MS = 2000;

const askWho = (): Promise<CallerDocument> => get<CallerDocument>("/me");
// Asked before anything is drawn: on a slow phone the answer is there when the frame is.
let begun: Promise<CallerDocument> | null = askWho();
begun.catch(() => undefined);

/** Show what is inside to who is logged in, and the way to log in to everybody else. */
export function SignedIn({ children }: { children: ReactNode }): ReactNode {
  const [known, setKnown] = useState<Known>(null);
  const [away, setAway] = useState("");
  const queries = useQueryClient();
  const looking = useRef(() => {});

  const leave = useCallback((reason = "") => {
    looking.current();
    if (!token.get()) void ask("DELETE", "/session").catch(() => undefined);
    token.forget();
    queries.clear();
    setKnown({ caller: null, reason });
  }, [queries]);

  const find = useCallback(async (): Promise<void> => {
    try {
      const asked = begun ?? askWho();
      begun = null;
      const caller = await asked;
      looking.current();
      // Before the frame is drawn, so that the farm comes meanwhile.
      looking.current = lookOn(() => leave("You were logged out: log in again."));
      setKnown({ caller });
      setAway("");
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        const reason = token.get() ? "That token does not hold: it is another farm's, or of before." : FAILED;
        token.forget();
        setKnown({ caller: null, reason });
      } else {
        setAway(error instanceof Error ? error.message : String(error));
        window.setTimeout(() => void find(), RETRY_MS);
      }
    }
  }, [leave]);

  useEffect(() => void find(), [find]);
  useEffect(() => () => looking.current(), []);

  if (known === null) return <p className="alone" role="status">{away || "One moment …"}</p>;
  if (known.caller === null) return <Login reason={known.reason} entered={() => void find()} />;
  const { permissions } = known.caller;
  const session = { caller: known.caller, may: (wanted: Permission) => permissions.includes(wanted), leave };
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
}
