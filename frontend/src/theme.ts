// Light or dark: what the member has chosen, else what their system asks for. A cookie tells the server, so that the next
// page is drawn in it from its first moment: "light", "dark", or by the system "auto-light", "auto-dark".
const COOKIE = "hagukumi_theme";
const YEAR = 365 * 86400;

/** What the cookies say: a kept theme, "" where there is none. */
export function kept(cookies: string): string {
  const found = cookies.split("; ").find((one) => one.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? "";
}

/** The theme to show and to keep, of what was kept and whether the system is dark. */
export function themeOf(was: string, systemIsDark: boolean): { shown: "light" | "dark"; keep: string } {
  if (was === "light" || was === "dark") return { shown: was, keep: was };
  const shown = systemIsDark ? "dark" : "light";
  return { shown, keep: `auto-${shown}` };
}

function show(was: string, system: MediaQueryList): void {
  const { shown, keep } = themeOf(was, system.matches);
  document.documentElement.dataset.bsTheme = shown;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${keep}; path=/; max-age=${YEAR}; SameSite=Lax${secure}`;
  for (const button of document.querySelectorAll<HTMLElement>("[data-theme]"))
    button.setAttribute("aria-pressed", String(button.dataset.theme === (was.startsWith("auto") || !was ? "auto" : was)));
}

export function startTheme(): void {
  if (!document.querySelector("[data-theme]")) return; // pages of the public stay as they are
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  show(kept(document.cookie), system);
  system.addEventListener("change", () => show(kept(document.cookie), system));
  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLElement>("[data-theme]");
    if (!button) return;
    show(button.dataset.theme ?? "auto", system);
    if (document.querySelector('[data-island="chart"]')) location.reload(); // a drawing keeps the colours it was made with
  });
}
