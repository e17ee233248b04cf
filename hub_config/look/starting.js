// Shows how far the start of a server is, and goes where it leads: to the server, or to why it did not start.
"use strict";
const bar = document.getElementById("progress");
const events = new EventSource(document.currentScript.dataset.progress);
events.addEventListener("message", (event) => {
  const told = JSON.parse(event.data);
  if (told.progress !== undefined) {
    bar.value = told.progress;
    for (const step of document.querySelectorAll("[data-from]")) {
      step.classList.toggle("done", told.progress >= Number(step.dataset.from));
    }
  }
  if (told.ready || told.failed) {
    events.close();
    window.location.reload();
  }
});
