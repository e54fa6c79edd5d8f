#!/usr/bin/env bash
# A page says "Referrer-Policy: no-referrer" and posts a form to itself. Two headers tell a server that a request comes
# from its own page: Origin and Sec-Fetch-Site. Chromium sends "Origin: null" with that form, as from a foreign sandbox,
# although the page posts to where it came from; with "same-origin" it sends the page's own origin. Sec-Fetch-Site would
# still tell, but a page without https under a name that is not localhost, as of a device on a local network, gets none.
# A fetch() of the same page has its own origin under both policies.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit @sparticuz/chromium@138.0.2 puppeteer-core@24.10.0
cat >look.mjs <<'SCRIPT'
import { createServer } from "node:http";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const posts = [];
const server = createServer((request, answer) => {
  const policy = request.url.slice(1);
  if (request.method === "POST") {
    posts.push([request.headers.origin ?? "none", request.headers["sec-fetch-site"] ?? "none"]);
    answer.end("thanks");
    return;
  }
  answer.setHeader("Content-Type", "text/html");
  answer.setHeader("Referrer-Policy", policy);
  answer.end(`<form method="post" action="/${policy}"><input name="a" value="b"><button>send</button></form>`);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const port = server.address().port;
const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP device.local 127.0.0.1"],
  headless: "shell",
});
console.log(await browser.version());
const seen = {};
for (const host of ["device.local", "localhost"]) {
  for (const policy of ["no-referrer", "same-origin"]) {
    const page = await browser.newPage();
    await page.goto(`http://${host}:${port}/${policy}`);
    await page.evaluate((path) => fetch(path, { method: "POST", body: "a=b" }), `/${policy}`);
    await Promise.all([page.waitForNavigation(), page.click("button")]);
    const [script, form] = posts.splice(0);
    seen[`${host} ${policy}`] = { form, script };
    for (const [what, [origin, site]] of Object.entries(seen[`${host} ${policy}`])) {
      console.log(`${host}, ${policy}, ${what}: Origin ${origin.replace(String(port), "PORT")}, Sec-Fetch-Site ${site}`);
    }
  }
}
await browser.close();
server.close();
const own = (host) => `http://${host}:${port}`;
const as = (host, policy) => seen[`${host} ${policy}`];
const holds =
  as("device.local", "no-referrer").form.join() === "null,none" &&
  as("device.local", "no-referrer").script.join() === `${own("device.local")},none` &&
  as("device.local", "same-origin").form.join() === `${own("device.local")},none` &&
  as("localhost", "no-referrer").form.join() === "null,same-origin" &&
  as("localhost", "same-origin").form.join() === `${own("localhost")},same-origin`;
process.exit(holds ? 0 : 1);
SCRIPT
node look.mjs
