/** A picture of a plate: fetched once with the credential, shown from memory, let go when there are too many. */

import { useEffect, useState, type ReactNode } from "react";
import { file } from "../api/ask";

const PICTURES_MAX = 200;
const kept = new Map<string, Promise<string>>();

function fetched(url: string): Promise<string> {
  const known = kept.get(url);
  if (known) return known;
  if (kept.size >= PICTURES_MAX) {
    const [oldest, source] = kept.entries().next().value!;
    kept.delete(oldest);
    source.then(URL.revokeObjectURL, () => undefined);
  }
  const source = file(url);
  source.catch(() => kept.delete(url));
  kept.set(url, source);
  return source;
}

/** The address of the smallest picture that is wide enough, else of the widest there is. */
export function pictureOf(pictures: Record<string, string>, shows: "plate" | "model", width_px: number): string | null {
  const found = Object.entries(pictures)
    .filter(([name]) => name.startsWith(`${shows}-`))
    .map(([name, url]) => ({ width: Number(name.slice(shows.length + 1)), url }))
    .sort((a, b) => a.width - b.width);
  return (found.find((each) => each.width >= width_px) ?? found.at(-1))?.url ?? null;
}

export function Picture({ url, alt }: { url: string; alt: string }): ReactNode {
  const [source, setSource] = useState("");
  useEffect(() => {
    let wanted = true;
    fetched(url).then((found) => wanted && setSource(found), () => undefined);
    return () => {
      wanted = false;
    };
  }, [url]);
  return source ? <img src={source} alt={alt} loading="lazy" /> : <span className="picture" aria-hidden="true" />;
}
