/** Lines of the coordinator's log, as they are said. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { get } from "../api/ask";
import type { LogLineDocument, LogPage } from "../api/shapes";
import { moment, type Tone } from "../words";
import { State } from "./state";
import "../styles/shop.css";

const LOOK_MS = 5000;
export const WEIGHTS: Record<LogLineDocument["level"], Tone> = { debug: "quiet", info: "quiet", warning: "care", error: "bad", critical: "bad" };

/** The newest lines that were said so. */
export function LogLines({ wanted }: { wanted: Readonly<Record<string, string>> }): ReactNode {
  const query = new URLSearchParams(wanted).toString();
  const { data, error } = useQuery({
    queryKey: ["log", query],
    queryFn: ({ signal }) => get<LogPage>(`/logs?${query}`, signal),
    refetchInterval: LOOK_MS,
    placeholderData: keepPreviousData,
  });
  if (error) return <p className="bad">{error.message}</p>;
  if (data && !data.items.length) return <p className="faint">Nothing was said that is like that.</p>;
  return (
    <ol className="log" tabIndex={0} aria-label="Lines of the log, the newest first">
      {data?.items.toReversed().map((line) => (
        <li key={line.number}>
          <time dateTime={line.at} title={moment(line.at)}>{new Date(line.at).toLocaleTimeString()}</time>
          <State words={line.level} tone={WEIGHTS[line.level]} />
          <span><strong>{line.event}</strong> <code>{facts(line)}</code></span>
        </li>
      ))}
    </ol>
  );
}

function facts({ facts: said }: LogLineDocument): string {
  return Object.entries(said).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ");
}
