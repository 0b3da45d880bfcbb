import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, it } from "vitest";
import { moveAmongRadios } from "./radios";

const NAMES = ["Standard", "Graduated", "Package", "Volume"];

/** Package is not to be had. */
function Models() {
  const [chosen, setChosen] = useState("Standard");
  return (
    <div role="radiogroup" aria-label="Model" onKeyDown={moveAmongRadios}>
      {NAMES.map((name) => (
        <button
          type="button"
          role="radio"
          key={name}
          aria-checked={name === chosen}
          tabIndex={name === chosen ? 0 : -1}
          disabled={name === "Package"}
          onClick={() => setChosen(name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

afterEach(cleanup);

it.each([
  ["{ArrowRight}", "Graduated"],
  ["{ArrowDown}{ArrowDown}", "Volume"],
  ["{ArrowRight>3/}", "Standard"],
  ["{ArrowLeft}", "Volume"],
  ["{ArrowUp}{ArrowUp}", "Graduated"],
  ["{Control>}{ArrowRight}{/Control}", "Standard"],
  ["a", "Standard"],
])("%s chooses %s, which has the focus", async (keys, name) => {
  render(<Models />);
  const user = userEvent.setup();
  await user.tab();
  await user.keyboard(keys);
  const chosen = screen.getAllByRole("radio").filter((one) => one.getAttribute("aria-checked") === "true");
  expect(chosen.map((one) => one.textContent)).toEqual([name]);
  expect(document.activeElement).toBe(chosen[0]);
});

it("is one stop of the tab key", async () => {
  render(<Models />);
  const user = userEvent.setup();
  await user.tab();
  await user.tab();
  expect(document.activeElement).toBe(document.body);
});
