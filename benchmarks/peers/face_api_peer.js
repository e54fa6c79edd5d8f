// @vladmandic/face-api on frames: its tiny detector (input 224) and its expression network, on one thread of WebAssembly.
// node face_api_peer.js FRAMES.raw: grey frames of 640x480 one after another. Prints one line of JSON.
const fs = require('fs');
const path = require('path');

const [WIDTH, HEIGHT, WARM] = [640, 480, 5];

function cpuMs() {
  const spent = process.cpuUsage();
  return (spent.user + spent.system) / 1000;
}

async function main() {
  const tf = require('@tensorflow/tfjs');
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + '/');
  wasm.setThreadsCount(1);
  const package_ = path.join(process.env.NODE_PATH, '@vladmandic', 'face-api');
  const faceapi = require(path.join(package_, 'dist', 'face-api.node-wasm.js'));
  await tf.setBackend('wasm');
  await tf.ready();
  await faceapi.nets.tinyFaceDetector.loadFromDisk(path.join(package_, 'model'));
  await faceapi.nets.faceExpressionNet.loadFromDisk(path.join(package_, 'model'));
  const options = new faceapi.TinyFaceDetectorOptions({ inputSize: 224 });
  const frames = fs.readFileSync(process.argv[2]);
  const spent = [];
  let found = 0;
  let first = 0;
  for (let n = 0; n * WIDTH * HEIGHT < frames.length; n++) {
    const grey = frames.subarray(n * WIDTH * HEIGHT, (n + 1) * WIDTH * HEIGHT);
    const began = cpuMs();
    const rgb = new Int32Array(3 * WIDTH * HEIGHT);
    for (let i = 0; i < grey.length; i++) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
    const tensor = tf.tensor3d(rgb, [HEIGHT, WIDTH, 3], 'int32');
    const result = await faceapi.detectAllFaces(tensor, options).withFaceExpressions();
    tensor.dispose();
    if (n === 0) first = cpuMs();
    if (n >= WARM) {
      spent.push(cpuMs() - began);
      found += result.length > 0;
    }
  }
  const mean = spent.reduce((sum, ms) => sum + ms, 0) / spent.length;
  console.log(JSON.stringify({
    ms: mean, found: found / spent.length, rss_mb: process.memoryUsage().rss / 2 ** 20, start_s: first / 1000,
  }));
}

main().catch((error) => { console.error(String(error)); process.exit(1); });
