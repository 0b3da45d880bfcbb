/** Tries an expression on an event, by the server's own reading of it. */
import { useState } from "react";
import { useChange } from "@/api/client";
import { ApiError, explain } from "@/api/errors";
import { Banner, Button } from "@/ui/basics";
import { Field, TextArea } from "@/ui/fields";
import { propertiesRead } from "./metric";

export function Tester({ expression, code }: { expression: string; code: string }) {
  const [typed, setTyped] = useState<string | null>(null);
  const text = typed ?? sampleOf(expression);
  const properties = parse(text);
  const trial = useChange("post", "/api/v1/billable_metrics/evaluate_expression", {
    isQuiet: true,
    touches: [],
  });
  return (
    <section className="stack">
      <h2>Try the expression</h2>
      <Field label="Properties of an event" error={properties ? undefined : "This is no JSON object."}>
        <TextArea
          className="mono"
          rows={6}
          value={text}
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
      </Field>
      <div>
        <Button
          size="sm"
          isBusy={trial.isPending}
          disabled={!properties || !expression.trim()}
          onClick={() => properties && trial.mutate({ body: { expression, event: { code, properties } } })}
        >
          Evaluate
        </Button>
      </div>
      <div aria-live="polite">
        {trial.data && !trial.isPending && (
          <Banner look="ok">
            Stored value: <b className="mono">{trial.data.expression_result.value}</b>
          </Banner>
        )}
        {trial.error && !trial.isPending && <Banner look="bad">{faultOf(trial.error)}</Banner>}
      </div>
    </section>
  );
}

function faultOf(error: unknown): string {
  const fields = error instanceof ApiError ? error.fields : {};
  if ("expression" in fields) return "The expression cannot be read.";
  if ("event" in fields) {
    return "It has no value for this event: a property is missing, no number, or divided by zero.";
  }
  return explain(error);
}

function sampleOf(expression: string): string {
  return JSON.stringify(Object.fromEntries(propertiesRead(expression).map((name) => [name, 12])), null, 2);
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
