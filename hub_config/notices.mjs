// What the front has to tell the audit log: connections from outside the building. One file for each notice, in the
// front's own folder, in the form of enclave/sandbox/notices.py; the gateway takes it in.

import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 20;

// The first refusal is told at once, what follows within a minute together: its addresses, or that they were many.
export class Refusals {
  constructor(folder, log) {
    this.folder = folder;
    this.log = log;
    this.later = null; // null: the next refusal is told at once
  }

  add(address) {
    if (this.later === null) {
      this.later = new Set();
      this.write([address]);
      setTimeout(() => this.closeWindow(), WINDOW_MS).unref();
    } else if (this.later.size <= MOST_ADDRESSES) {
      this.later.add(address);
    }
  }

  closeWindow() {
    const found = [...this.later];
    this.later = null;
    if (found.length > 0) this.write(found);
  }

  end() {
    if (this.later !== null) this.closeWindow();
  }

  write(addresses) {
    const code = addresses.length > MOST_ADDRESSES ? "MANY_OUTSIDE" : "OUTSIDE_THE_BUILDING";
    const details = { code, addresses: addresses.slice(0, MOST_ADDRESSES) };
    try {
      writeNotice(this.folder, "connection_refused", details);
    } catch (error) {
      this.log.error(`no notice for the audit log: ${error.message}`);
    }
  }
}

export function writeNotice(folder, event, details) {
  const moment = new Date();
  const number = (BigInt(moment.getTime()) * 1_000_000n).toString().padStart(20, "0");
  const name = `${number}-${crypto.randomBytes(8).toString("hex")}.json`;
  const said = JSON.stringify({ format: "notice/1", at: moment.toISOString(), event, details });
  const fresh = path.join(folder, `.${name}.new`);
  const file = fs.openSync(fresh, "wx", 0o644);
  try {
    fs.writeSync(file, said);
    fs.fchmodSync(file, 0o644);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  fs.renameSync(fresh, path.join(folder, name));
  const within = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(within);
  } finally {
    fs.closeSync(within);
  }
}
