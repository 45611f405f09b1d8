/** The tab's title: how much there is to do, where one looks for it first. */

import { useEffect } from "react";

export function useTitle(due: number): void {
  useEffect(() => {
    document.title = due ? `(${due}) Farmhand` : "Farmhand";
  }, [due]);
}
