// Passkeys (WebAuthn): asks the browser for a credential and sends it with the form.
// Usage: <form data-island="passkey" data-act="create|get" data-options="id of a JSON script"> with <input name="credential">;
// without data-options the form's own address gives them (sign-in). [data-passkey-problem] is shown where it fails.
type Options = { creation_options?: { publicKey: object }; request_options?: { publicKey: object } };

async function options(form: HTMLFormElement): Promise<Options> {
  const id = form.dataset.options;
  if (id) return JSON.parse(document.getElementById(id)?.textContent ?? "{}") as Options;
  const answer = await fetch(form.action, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Options;
}

async function credential(form: HTMLFormElement): Promise<string> {
  const given = await options(form);
  let found: Credential | null;
  if (form.dataset.act === "create") {
    const wish = structuredClone(given.creation_options?.publicKey ?? {}) as PublicKeyCredentialCreationOptionsJSON;
    const alone = form.querySelector<HTMLInputElement>("[name=passwordless]")?.checked ?? false;
    wish.authenticatorSelection = {
      ...wish.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      ...(alone ? { userVerification: "required" } : {}),
    };
    found = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(wish) });
  } else {
    const wish = (given.request_options?.publicKey ?? {}) as PublicKeyCredentialRequestOptionsJSON;
    found = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(wish) });
  }
  if (!found) throw new Error("no credential");
  return JSON.stringify((found as PublicKeyCredential).toJSON());
}

export default function start(element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const place = form.querySelector<HTMLInputElement>("[name=credential]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void (async () => {
      try {
        const found = await credential(form);
        if (place) place.value = found;
        form.submit();
      } catch {
        form.querySelector("[data-passkey-problem]")?.classList.remove("d-none");
      }
    })();
  });
}
