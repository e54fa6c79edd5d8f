"""The edge: a file for each thing outside this process. Nothing else imports picamera2, gpiozero, pyttsx3 or lgpio."""
