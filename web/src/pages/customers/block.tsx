import type { ReactNode } from "react";

/** A part of a customer's information: a heading, what can be done with it, and what is known. */
export function Block({
  title,
  action,
  children,
}: {
  title: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section>
      <div className="row between">
        <h2>{title}</h2>
        {action}
      </div>
      {children}
    </section>
  );
}
