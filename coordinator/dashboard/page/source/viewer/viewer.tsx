/** A model to be turned and looked at. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import { bytes } from "../api/ask";
import { load } from "./load";
import { ModelScene, type Size } from "./scene";

interface Shown {
  url: string;
  suffix: string;
  name: string;
  /** How large the farm found it to be; null where nobody looked. */
  size_mm: readonly number[] | null;
}

export default function Viewer({ url, suffix, name, size_mm }: Shown): ReactNode {
  const longest_mm = size_mm && Math.max(...size_mm);
  const host = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState("Loading …");
  const [size, setSize] = useState<Size | null>(null);

  useEffect(() => {
    const given = new AbortController();
    let scene: ModelScene | null = null;
    setSize(null);
    setWords("Loading …");
    bytes(url, given.signal)
      .then((found) => load(found, suffix))
      .then((model) => {
        if (given.signal.aborted || !host.current) return;
        scene = new ModelScene(host.current);
        setSize(scene.show(model, longest_mm));
        setWords("");
      })
      .catch((error: unknown) => {
        if (!given.signal.aborted) setWords(error instanceof Error ? error.message : String(error));
      });
    return () => {
      given.abort();
      scene?.close();
    };
  }, [url, suffix, longest_mm]);

  return (
    <figure className="viewer">
      <div ref={host} role="img" aria-label={`${name}, to be turned with the mouse`} />
      <figcaption role="status">
        {words || (size && `${size.x.toFixed(1)} × ${size.y.toFixed(1)} × ${size.z.toFixed(1)} mm, ${size.triangles.toLocaleString()} triangles`)}
      </figcaption>
    </figure>
  );
}
