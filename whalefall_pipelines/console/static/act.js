// Lets buttons ask the API to act, and shows its answer. The API checks the sign-in, and writes down who did what.
"use strict";

async function act(button, outcome) {
  outcome.textContent = "Working …";
  try {
    const answer = await fetch(button.dataset.post, { method: "POST" });
    const body = await answer.json();
    outcome.textContent = answer.ok ? body.data?.message ?? body.message : body.detail ?? body.title;
    if (answer.ok) {
      const again = document.createElement("a");
      again.href = location.href;
      again.textContent = "Show the page anew";
      outcome.append(" ", again);
    }
  } catch {
    outcome.textContent = "The server did not answer. Try again, or look at its log.";
  }
}

for (const button of document.querySelectorAll("[data-post]")) {
  const group = button.closest(".buttons");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const buttons = group.querySelectorAll("button");
    buttons.forEach((each) => (each.disabled = true));
    await act(button, group.querySelector(".outcome"));
    buttons.forEach((each) => (each.disabled = false));
  });
}
