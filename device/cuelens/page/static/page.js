// What needs a script: the live state and picture, progress, the recorder. Every form works without it.
"use strict";
const body = document.body;
const at = (id) => document.getElementById(id);

// The state, and the parts of a step that change.
function fill(list, lines) {
  const text = lines.map((line) => line[1]).join("\n");
  if (!list || list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(...lines.map(([level, sentence]) => {
    const item = document.createElement("li");
    item.className = level;
    item.textContent = sentence;
    return item;
  }));
}
async function redraw() {
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  const old = document.querySelector("[data-live]");
  if (!fresh || !old) return;
  const focused = document.activeElement && old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceChildren(...fresh.childNodes);
  old.dataset.live = fresh.dataset.live;
  if (focused) (at(focused) || at("main")).focus();
}
// A notice about the state goes when it is no longer true. The state follows a form a moment later.
function judge(notice, now) {
  if (notice.dataset.while.split(",").includes(now)) notice.dataset.held = "";
  else if ("held" in notice.dataset) notice.remove();
}
let drawing = false;
function take(news) {
  fill(at("state"), news.state || []);
  const notice = document.querySelector("[data-while]");
  if (notice && news.now !== undefined) judge(notice, news.now);
  for (const bar of document.querySelectorAll("progress[data-seconds]")) {
    const seconds = (news.seconds || {})[bar.dataset.seconds];
    if (seconds !== undefined) bar.value = seconds;
  }
  const say = at("say");
  if (say && news.say !== undefined) {
    say.hidden = !news.say;
    if (news.say && say.textContent !== news.say) say.textContent = news.say;
  }
  const live = document.querySelector("[data-live]");
  if (live && news.mark !== undefined && live.dataset.live !== news.mark && !drawing) {
    drawing = true;
    redraw().catch(() => {}).finally(() => { drawing = false; });
  }
}
if (body.dataset.csrf && (at("state") || document.querySelector("[data-live]"))) {
  const source = new EventSource("/events?step=" + body.dataset.step);
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => fill(at("state"), [["bad", body.dataset.lost]]);
}

// The clock of the phone, when a form is sent.
for (const field of document.querySelectorAll("[data-clock]")) {
  field.form.addEventListener("submit", () => { field.value = Date.now(); });
}

// Numbers beside sliders, and what a place of the slider costs.
for (const slider of document.querySelectorAll("input[data-output]")) {
  slider.addEventListener("input", () => { at(slider.dataset.output).textContent = slider.value + slider.dataset.unit; });
}
const places = document.querySelector("input[data-places]");
if (places) {
  const items = at(places.dataset.places).children;
  const show = () => {
    const item = items[places.value];
    at("cost").querySelector("strong").textContent = item.dataset.name;
    at("cost").querySelector("span").textContent = item.textContent;
    places.setAttribute("aria-valuetext", item.dataset.name);
  };
  places.addEventListener("input", show);
  show();
}

// The live picture: boxes and the line of the horizon are drawn over it; it is kept nowhere.
const camera = at("camera");
if (camera) {
  const pen = camera.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  let seen = { faces: [] };
  let picture = null;
  const draw = () => {
    const { width, height } = camera;
    if (picture) pen.drawImage(picture, 0, 0, width, height);
    pen.strokeStyle = style.getPropertyValue("--accent");
    pen.lineWidth = 3;
    for (const [left, top, wide, high, tilt] of seen.faces) {
      pen.save();
      pen.translate((left + wide / 2) * width, (top + high / 2) * height);
      pen.rotate(-tilt * Math.PI / 180);
      pen.strokeRect(-wide / 2 * width, -high / 2 * height, wide * width, high * height);
      pen.restore();
    }
    const tilt = at("tilt");
    if (tilt) {
      pen.save();
      pen.translate(width / 2, height / 2);
      pen.rotate(-tilt.value * Math.PI / 180);
      pen.setLineDash([10, 6]);
      pen.strokeStyle = "#fff";
      pen.lineWidth = 2;
      pen.beginPath();
      pen.moveTo(-width, 0);
      pen.lineTo(width, 0);
      pen.stroke();
      pen.restore();
    }
  };
  if (at("tilt")) at("tilt").addEventListener("input", draw);
  const next = async () => {
    let wait = 0;
    try {
      if (document.hidden) throw new Error("asleep");
      const answer = await fetch(camera.dataset.url);
      if (answer.status === 204) {
        // Another screen is open: this one is being left, or stands in another tab.
        setTimeout(next, 1500);
        return;
      }
      if (!answer.ok) throw new Error(await answer.text());
      seen = JSON.parse(answer.headers.get("cuelens-seen"));
      picture = await createImageBitmap(await answer.blob());
      if (camera.height !== Math.round(320 * picture.height / picture.width)) camera.height = Math.round(320 * picture.height / picture.width);
      draw();
      fill(at("seen"), seen.sentences.map((sentence) => ["note", sentence]));
    } catch (error) {
      wait = 1500;
      if (!document.hidden) fill(at("seen"), [["bad", error instanceof TypeError ? body.dataset.lost : error.message]]);
    }
    setTimeout(next, wait);
  };
  next();
}

// A file into a text field.
for (const input of document.querySelectorAll("[data-script]")) input.hidden = false;
for (const input of document.querySelectorAll("input[data-into]")) {
  input.addEventListener("change", async () => { if (input.files[0]) at(input.dataset.into).value = await input.files[0].text(); });
}

// A recording: whatever the phone made becomes 16 bits, one channel, 22050 Hz, without the silence around it.
const RATE = 22050;
function trimmed(samples, longest) {
  const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (loudest < 0.01) return null;
  const limit = loudest * 0.06;
  let first = 0;
  let last = samples.length - 1;
  while (Math.abs(samples[first]) < limit) first += 1;
  while (Math.abs(samples[last]) < limit) last -= 1;
  const pad = Math.round(RATE * 0.05);
  const from = Math.max(0, first - pad);
  const whole = samples.subarray(from, Math.min(samples.length, last + pad, from + Math.floor(longest * RATE)));
  return whole.map((value) => value * 0.9 / loudest);
}
function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (place, letters) => [...letters].forEach((letter, i) => view.setUint8(place + i, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt "); view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, RATE, true); view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true); text(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, i) => view.setInt16(44 + 2 * i, Math.round(Math.max(-1, Math.min(1, value)) * 32767), true));
  return view.buffer;
}
const recorder = document.querySelector("[data-recorder]");
if (recorder) {
  const input = recorder.querySelector("input");
  const says = at("voice-says");
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    says.textContent = recorder.dataset.wait;
    try {
      const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer());
      const mix = new OfflineAudioContext(1, Math.max(1, Math.ceil(Math.min(decoded.duration, 30) * RATE)), RATE);
      const source = mix.createBufferSource();
      source.buffer = decoded;
      source.connect(mix.destination);
      source.start();
      const samples = trimmed((await mix.startRendering()).getChannelData(0), Number(recorder.dataset.longest));
      if (!samples) { says.textContent = recorder.dataset.silent; return; }
      const headers = { "content-type": "audio/wav", "x-cuelens": body.dataset.csrf };
      const answer = await fetch(recorder.dataset.recorder, { method: "POST", headers, body: wav(samples) });
      if (answer.ok) location.reload();
      else says.textContent = await answer.text();
    } catch (error) {
      // Of all that is done here only `fetch` rejects with a TypeError: the page cannot be reached.
      says.textContent = error instanceof TypeError ? recorder.dataset.unsent : recorder.dataset.bad;
    } finally {
      input.value = "";
    }
  });
}
