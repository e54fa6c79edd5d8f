// @vladmandic/human on frames: BlazeFace and its emotion network, on one thread of WebAssembly.
// node human_peer.js FRAMES.raw: grey frames of 640x480 one after another. Prints one line of JSON.
const fs = require('fs');
const path = require('path');

const [WIDTH, HEIGHT, WARM] = [640, 480, 5];

function cpuMs() {
  const spent = process.cpuUsage();
  return (spent.user + spent.system) / 1000;
}

async function main() {
  // Its models are files of the package; Node's fetch does not read files.
  const package_ = path.dirname(path.dirname(require.resolve('@vladmandic/human')));
  global.fetch = async (url) => new Response(fs.readFileSync(String(url).replace('file://', '')));
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setThreadsCount(1);
  const { Human } = require(path.join(package_, 'dist', 'human.node-wasm.js'));
  const human = new Human({
    backend: 'wasm', wasmPath: path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + '/', debug: false,
    modelBasePath: 'file://' + path.join(package_, 'models') + '/',
    filter: { enabled: false }, gesture: { enabled: false }, cacheSensitivity: 0,
    face: {
      enabled: true, detector: { rotation: false, maxDetected: 1, skipFrames: 0, skipTime: 0 },
      mesh: { enabled: false }, iris: { enabled: false }, description: { enabled: false }, attention: { enabled: false },
      emotion: { enabled: true, skipFrames: 0, skipTime: 0 }, antispoof: { enabled: false }, liveness: { enabled: false },
    },
    body: { enabled: false }, hand: { enabled: false }, object: { enabled: false }, segmentation: { enabled: false },
  });
  await human.load();
  const frames = fs.readFileSync(process.argv[2]);
  const spent = [];
  let found = 0;
  let first = 0;
  for (let n = 0; n * WIDTH * HEIGHT < frames.length; n++) {
    const grey = frames.subarray(n * WIDTH * HEIGHT, (n + 1) * WIDTH * HEIGHT);
    const began = cpuMs();
    const rgb = new Int32Array(3 * WIDTH * HEIGHT);
    for (let i = 0; i < grey.length; i++) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
    const tensor = human.tf.tensor(rgb, [1, HEIGHT, WIDTH, 3], 'int32');
    const result = await human.detect(tensor);
    tensor.dispose();
    if (n === 0) first = cpuMs();
    if (n >= WARM) {
      spent.push(cpuMs() - began);
      found += result.face.length > 0 && (result.face[0].emotion || []).length > 0;
    }
  }
  const mean = spent.reduce((sum, ms) => sum + ms, 0) / spent.length;
  console.log(JSON.stringify({
    ms: mean, found: found / spent.length, rss_mb: process.memoryUsage().rss / 2 ** 20, start_s: first / 1000,
  }));
}

main().catch((error) => { console.error(String(error)); process.exit(1); });
