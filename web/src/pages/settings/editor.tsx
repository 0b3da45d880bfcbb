/** A form in a drawer for one small object: made or changed, with the server's refusals at its fields. */
import { type ReactNode, useState } from "react";
import { type DefaultValues, type FieldValues, type UseFormReturn, useForm } from "react-hook-form";
import { explain } from "@/api/errors";
import { Banner } from "@/ui/basics";
import { placeErrors } from "@/ui/form";
import { Drawer, FormButtons } from "@/ui/overlays";

interface EditorProps<Values extends FieldValues> {
  title: ReactNode;
  verb: string;
  values: DefaultValues<Values>;
  onClose: () => void;
  /** Sends what was entered; what it throws is shown. */
  onSave: (values: Values) => Promise<unknown>;
  children: (form: UseFormReturn<Values>) => ReactNode;
}

export function Editor<Values extends FieldValues>({
  title,
  verb,
  values,
  onClose,
  onSave,
  children,
}: EditorProps<Values>) {
  const form = useForm<Values>({ defaultValues: values, mode: "onTouched" });
  const [error, setError] = useState<unknown>();
  const save = form.handleSubmit(async (entered) => {
    setError(undefined);
    try {
      await onSave(entered as unknown as Values);
      onClose();
    } catch (refused) {
      setError(placeErrors(form as never, refused));
    }
  });
  return (
    <Drawer
      title={title}
      isOpen
      onClose={onClose}
      isDirty={form.formState.isDirty && !form.formState.isSubmitting}
      width={480}
      footer={
        <FormButtons onCancel={onClose} isBusy={form.formState.isSubmitting} onSave={() => void save()}>
          {verb}
        </FormButtons>
      }
    >
      <form className="form-fields" noValidate onSubmit={(event) => void save(event)}>
        {error !== undefined && (
          <Banner look="bad">
            <p>{explain(error)}</p>
          </Banner>
        )}
        {children(form)}
        <input type="submit" hidden />
      </form>
    </Drawer>
  );
}

/** What a text field of a form needs that must not be empty. */
export const NEEDED = { required: "This is needed." } as const;

/** An empty text is none. */
export function orNull(text: string): string | null {
  return text.trim() || null;
}
