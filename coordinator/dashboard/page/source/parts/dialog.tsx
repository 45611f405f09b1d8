/** A question over the page: the browser's own dialog, closed by Escape, with the focus given back. */

import { useId, useLayoutEffect, useRef, type ReactNode } from "react";

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ReactNode }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    // The event comes late: by then it may be open again.
    <dialog ref={dialog} aria-labelledby={name} onClose={() => dialog.current?.open || close()}>
      <h2 id={name}>{title}</h2>
      {children}
    </dialog>
  );
}
