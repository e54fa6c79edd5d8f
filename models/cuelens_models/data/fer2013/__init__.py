"""FER2013 as Kaggle publishes it, and FER+ beside it."""
