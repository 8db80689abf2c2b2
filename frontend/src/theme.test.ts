import { expect, test } from "vitest";
import { kept, themeOf } from "./theme";

test.each([
  ["light", true, "light", "light"],
  ["dark", false, "dark", "dark"],
  ["", true, "dark", "auto-dark"],
  ["auto-dark", false, "light", "auto-light"],
  ["auto", true, "dark", "auto-dark"],
  ["<script>", false, "light", "auto-light"],
])("%s where the system is dark: %s", (was, dark, shown, keep) => {
  expect(themeOf(was, dark)).toEqual({ shown, keep });
});

test("the theme is read among other cookies", () => {
  expect(kept("a=1; hagukumi_theme=dark; b=2")).toBe("dark");
  expect(kept("a=1; not_hagukumi_theme=dark")).toBe("");
});
