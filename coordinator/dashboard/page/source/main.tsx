/** The page begins here. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/ask";
import { App } from "./app";
import { ahead } from "./places";
import { SignedIn } from "./session";
import { warm } from "./words";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/cards.css";
import "./styles/views.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What was refused is refused again; what did not answer may.
      retry: (failures, error) => failures < 3 && !(error instanceof Problem && error.status >= 400),
    },
  },
});

ahead(location.pathname);
createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <SignedIn>
        <App />
      </SignedIn>
    </QueryClientProvider>
  </StrictMode>,
);
window.setTimeout(warm);
