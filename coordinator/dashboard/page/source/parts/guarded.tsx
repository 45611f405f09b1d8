/** What stands where a view can't be shown: a part of it is not there any more, or it has a fault. The rest stays. */

import { Component, type ReactNode } from "react";
import { renew } from "./newer";

interface Around {
  /** Another view is tried anew. */
  at: string;
  children: ReactNode;
}

export class Guarded extends Component<Around, { error: Error | null }> {
  override readonly state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override componentDidCatch(): void {
    void renew();
  }

  override componentDidUpdate({ at }: Around): void {
    if (at !== this.props.at && this.state.error) this.setState({ error: null });
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="alone" role="alert">
        <h1>This can't be shown</h1>
        <p>A part of the page is missing, or has a fault: {error.message}</p>
        <p><button type="button" className="main" onClick={() => location.reload()}>Load the page again</button></p>
      </div>
    );
  }
}
