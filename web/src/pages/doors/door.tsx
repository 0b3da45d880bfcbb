/** The frame of the pages through which people come in. */
import type { ReactNode } from "react";
import { Tally } from "@/ui/basics";
import { useTitle } from "@/ui/page";

export function Door({
  title,
  about,
  children,
  foot,
}: {
  title: string;
  about?: ReactNode;
  children?: ReactNode;
  foot?: ReactNode;
}) {
  useTitle(title);
  return (
    <main className="door" id="main">
      <div className="door-card">
        <div className="door-mark">
          <Tally count={5} size={26} />
          Tallymark
        </div>
        <div className="card">
          <div className="stack">
            <h1>{title}</h1>
            {about && <p className="ink2">{about}</p>}
          </div>
          {children}
        </div>
        {foot && <p className="door-foot">{foot}</p>}
      </div>
    </main>
  );
}
