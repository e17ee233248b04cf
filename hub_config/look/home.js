// Stops a server when its button is pressed, and shows the page anew when it is gone.
"use strict";
const xsrf = document.currentScript.dataset.xsrf;
for (const button of document.querySelectorAll("[data-stop]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    await fetch(button.dataset.stop, { method: "DELETE", headers: { "X-XSRFToken": xsrf } });
    window.location.reload();
  });
}
