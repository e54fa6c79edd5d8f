"""The ground floor: what a bundle is, how it is read, and the one path from pixels to model input.

Nothing here imports TensorFlow or Keras. Reading a contract (`contract`, `expressions`, `file`) needs
numpy and msgspec only; `preprocess` adds OpenCV, `interpreter` adds the TFLite runtime.
"""
