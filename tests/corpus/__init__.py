"""Small files in the formats, encodings and states in which offices deliver, each with its expected outcome."""
