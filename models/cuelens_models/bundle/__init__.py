"""The lowest room: the bundle and its contract, and the one path from pixels to model input.

No module here imports TensorFlow or Keras. Reading a contract (`contract`, `expressions`, `file`) needs only
numpy and msgspec. `preprocess` adds OpenCV, `interpreter` adds the TFLite runtime.
"""
