/** What reports are told in, and their sections: each loads by itself, fails alone, and can be asked for again. */
import type { ReactNode } from "react";
import { Section } from "@/ui/basics";
import { Loaded, type QueryLike, Skeleton } from "@/ui/states";
import type { Granularity } from "./granularity";

/** Which periods a report shows, and in which currency. */
export interface Report {
  months: string[];
  /** The first days of what its own figures are summed by. */
  periods: string[];
  granularity: Granularity;
  currency: string;
}

interface OfPartProps<Data> {
  /** What the section is called until its read, which knows more, has come. */
  title: string;
  part: QueryLike<Data>;
  children: (data: Data) => ReactNode;
}

/** A section that shows one read. */
export function OfPart<Data>({ title, part, children }: OfPartProps<Data>) {
  if (part.data !== undefined) return children(part.data);
  return (
    <Section title={title}>
      <Loaded query={part} what={title} skeleton={<Skeleton width="80%" />}>
        {children}
      </Loaded>
    </Section>
  );
}
