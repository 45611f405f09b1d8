/** Pictures for a wish: chosen or dropped, brought to the farm at once, each with a look of it and a way to leave it out. */

import { useRef, useState, type DragEvent, type ReactNode } from "react";
import { ask } from "../api/ask";
import type { NewSheetDocument } from "../api/shapes";
import { complain } from "../parts/notes";
import { Picture } from "../parts/picture";

const TAKEN = ["image/jpeg", "image/png", "image/webp"];

export interface Brought {
  name: string;
  sha256: string;
  url: string;
}

interface Shown {
  most: number;
  /** Each becomes a part of its own; else all show one thing. */
  apart: boolean;
  pictures: readonly Brought[];
  change: (next: readonly Brought[]) => void;
}

export function Pictures({ most, apart, pictures, change }: Shown): ReactNode {
  const picker = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);

  async function bring(files: readonly File[]): Promise<void> {
    const found = [...pictures];
    setBusy(true);
    try {
      for (const file of files) {
        if (!TAKEN.includes(file.type)) throw new Error(`${file.name} is no JPEG, PNG or WebP.`);
        if (found.length >= most) throw new Error(most === 1 ? "It takes one picture." : `It takes ${most} pictures at most.`);
        const form = new FormData();
        form.set("file", file);
        const { sha256, url } = await ask<NewSheetDocument>("POST", "/generation-pictures", { form });
        if (!found.some((each) => each.sha256 === sha256)) found.push({ name: file.name, sha256, url });
      }
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
      change(found);
    }
  }

  // What is dropped here is no order: the frame must not hear of it.
  const drag = (event: DragEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    setOver(event.type === "dragover");
    if (event.type === "drop") void bring([...event.dataTransfer.files]);
  };

  return (
    <div className={over ? "sheets over" : "sheets"} role="group" aria-label="Pictures" onDragOver={drag} onDragLeave={drag} onDrop={drag}>
      <p>
        <button type="button" disabled={busy || pictures.length >= most} onClick={() => picker.current?.click()}>
          {busy ? "Bringing …" : most > 1 ? "Add pictures" : "Add a picture"}
        </button>{" "}
        <span className="faint">or drop {most > 1 ? `up to ${most}, ${apart ? "a part of each" : "of one thing from several sides"},` : "one"} here</span>
      </p>
      <input ref={picker} type="file" accept={TAKEN.join()} multiple={most > 1} hidden aria-label="Pictures to add"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = "";
          event.stopPropagation();
          void bring(files);
        }} />
      {pictures.length > 0 && (
        <ul>
          {pictures.map((each) => (
            <li key={each.sha256}>
              <Picture url={each.url} alt={each.name} />
              <button type="button" className="plain" aria-label={`Leave out ${each.name}`} onClick={() => change(pictures.filter((other) => other !== each))}>×</button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
