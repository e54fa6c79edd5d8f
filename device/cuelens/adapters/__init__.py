"""Adapters: one file for each device or library. Only they import picamera2, gpiozero, pyttsx3 or lgpio."""
